import { stringify } from 'csv-stringify/sync';
import type { ModelCard } from './model-card.ts';
import type { Scores } from './scores.ts';

/** `row_id`, `prediction` and, of a classifier, `class_<name>` for each class in the order of the card. */
export function headerLine(card: ModelCard): string {
  return stringify([['row_id', 'prediction', ...(card.classes ?? []).map((name) => `class_${name}`)]]);
}

/** The lines for one batch; `firstRow` is the 0-based number of its first row in the file. */
export function predictionLines(
  scores: Scores,
  card: ModelCard,
  firstRow: number,
  format: (value: number) => string,
): string {
  if (scores.kind === 'numbers') {
    return stringify(scores.numbers.map((value, row) => [String(firstRow + row), format(value)]));
  }
  const { labels, probabilities, width } = scores;
  return stringify(
    labels.map((label, row) => [
      String(firstRow + row),
      card.classes?.[label] ?? '',
      ...probabilities.slice(row * width, (row + 1) * width).map(format),
    ]),
  );
}

/** The shortest decimal that reads back as the same 32-bit float: `0.1`, not `0.10000000149011612`. */
export function shortFloat(value: number): string {
  const single = Math.fround(value);
  for (let digits = 6; digits < 9; digits++) {
    const short = Number(single.toPrecision(digits));
    if (Math.fround(short) === single) return String(short);
  }
  return String(Number(single.toPrecision(9)));
}
