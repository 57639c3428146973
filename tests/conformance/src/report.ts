import type { Outcome } from './outcome.ts';

const groups: Record<string, string> = {
  U: 'Submit',
  S: 'Status',
  W: 'Long poll',
  E: 'Events',
  G: 'Logs',
  R: 'Results',
  F: 'Files',
  L: 'Lists',
  C: 'Control',
  P: 'Errors',
  A: 'Access',
  K: 'Catalogue',
  H: 'Health',
};

export function counts(outcomes: readonly Outcome[]): Record<Outcome['result'], number> {
  const count = (result: Outcome['result']): number => outcomes.filter((one) => one.result === result).length;
  return { passed: count('passed'), failed: count('failed'), skipped: count('skipped') };
}

/** The report for people: one line a rule; below one that failed, what was expected, what came, and how to see it again. */
export function report(outcomes: readonly Outcome[]): string {
  const lines = outcomes.flatMap((one, index) => {
    const group = groupOf(one);
    const begins = index === 0 || groupOf(outcomes[index - 1] ?? one) !== group;
    return [...(begins ? ['', groups[group] ?? group] : []), ...linesOf(one)];
  });
  const { passed, failed, skipped } = counts(outcomes);
  return [...lines, '', `${passed} passed, ${failed} failed, ${skipped} skipped`].join('\n').trimStart();
}

function groupOf({ rule }: Outcome): string {
  return rule.split('-', 1)[0] ?? rule;
}

function linesOf({ rule, result, title, reason, expected, came, reproduce }: Outcome): string[] {
  const more = { because: reason, expected, came, 'try it': reproduce };
  const below = Object.entries(more).flatMap(([name, text]) =>
    text === undefined ? [] : [`${' '.repeat(8)}${name}: ${text}`],
  );
  return [`  ${rule.padEnd(5)} ${result.padEnd(8)} ${title}`, ...below];
}
