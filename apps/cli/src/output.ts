import { once } from 'node:events';
import { stripVTControlCharacters } from 'node:util';
import { getBorderCharacters, table } from 'table';

/** Writes to stdout as fast as it is taken. */
export async function print(text: string): Promise<void> {
  if (!process.stdout.write(`${text}\n`)) await once(process.stdout, 'drain');
}

export const printJson = (value: unknown): Promise<void> => print(JSON.stringify(value, null, 2));

/** What came from a job must not steer the terminal. */
export function harmless(text: string): string {
  return (
    stripVTControlCharacters(text)
      .replaceAll(/[\n\r]+/g, ' ')
      // eslint-disable-next-line no-control-regex -- these are what it is about
      .replaceAll(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g, '')
  );
}

type Cell = string | number | null | undefined;

export async function printTable(head: string[], rows: Cell[][]): Promise<void> {
  const cells = rows.map((row) => row.map((cell) => harmless(String(cell ?? '-')).replaceAll('\t', ' ')));
  const lines = table([head, ...cells], {
    border: getBorderCharacters('void'),
    columnDefault: { paddingLeft: 0, paddingRight: 2 },
    drawHorizontalLine: () => false,
  });
  await print(
    lines
      .trimEnd()
      .split('\n')
      .map((line) => line.trimEnd())
      .join('\n'),
  );
}

/** The fields of one thing, a line each; what is null or empty is left out. */
export async function printFields(fields: Record<string, Cell>): Promise<void> {
  const known = Object.entries(fields).filter(
    ([, value]) => value !== null && value !== undefined && value !== '',
  );
  const width = Math.max(...known.map(([name]) => name.length));
  await print(known.map(([name, value]) => `${name.padEnd(width)}  ${harmless(String(value))}`).join('\n'));
}
