import { type Spread, spreadOf } from './statistics.ts';

export function section(title: string, body: string): string {
  return `\n## ${title}\n\n${body}`;
}

export function text({ median, least, most }: Spread): string {
  return `${figure(median)} (${figure(least)} - ${figure(most)})`;
}

/** One figure of each, over all of them. */
export function over<T>(items: readonly T[], value: (item: T) => number): string {
  return text(spreadOf(items.map(value)));
}

/** Lines of a Markdown table whose columns stand below each other in a terminal as well. The first column is text, the others are figures. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((title, column) =>
    Math.max(title.length, ...rows.map((row) => (row[column] ?? '').length)),
  );
  const line = (cells: readonly string[]): string =>
    `| ${widths.map((width, column) => pad(cells[column] ?? '', width, column)).join(' | ')} |`;
  const rule = `| ${widths.map((width, column) => (column === 0 ? '-'.repeat(width) : `${'-'.repeat(Math.max(1, width - 1))}:`)).join(' | ')} |`;
  return [line(head), rule, ...rows.map(line)].join('\n');
}

function pad(text: string, width: number, column: number): string {
  return column === 0 ? text.padEnd(width) : text.padStart(width);
}

/** Three significant digits, as far as there are any. */
export function figure(value: number): string {
  if (Number.isNaN(value)) return '-';
  if (Math.abs(value) >= 100) return value.toFixed(0);
  return value.toFixed(Math.abs(value) >= 10 ? 1 : 2);
}
