import { z } from 'zod';
import type { ModelCard } from './model-card.ts';
import type { Scores } from './scores.ts';

/** What came out, in short. Numbers are null where there is none (the model answered NaN or infinity throughout). */
export const Summary = z.strictObject({
  model: z.string(),
  task: z.enum(['Regression', 'Binary', 'Multiclass']),
  target: z.string(),
  rows: z.int(),
  /** How many rows were predicted to be of each class; null for a regression. */
  classes: z.record(z.string(), z.int()).nullable(),
  /** Of a regression. */
  predictions: z
    .strictObject({ mean: z.number().nullable(), min: z.number().nullable(), max: z.number().nullable() })
    .nullable(),
});
export type Summary = z.output<typeof Summary>;

/** Takes the scores of one batch after the other, and keeps counts only. */
export function makeSummary(card: ModelCard): { add(scores: Scores): void; done(): Summary } {
  const counts = (card.classes ?? []).map(() => 0);
  let [rows, finite, mean, min, max] = [0, 0, 0, Infinity, -Infinity];
  return {
    add(scores) {
      if (scores.kind === 'classes') {
        rows += scores.labels.length;
        for (const label of scores.labels) counts[label] = (counts[label] ?? 0) + 1;
        return;
      }
      rows += scores.numbers.length;
      for (const value of scores.numbers.filter(Number.isFinite)) {
        finite += 1;
        // A running mean does not lose precision as a sum of millions would.
        mean += (value - mean) / finite;
        min = Math.min(min, value);
        max = Math.max(max, value);
      }
    },
    done() {
      const { name: model, task, target, classes } = card;
      return {
        model,
        task,
        target,
        rows,
        classes: classes
          ? Object.fromEntries(classes.map((name, place) => [name, counts[place] ?? 0]))
          : null,
        predictions: classes ? null : finite > 0 ? { mean, min, max } : { mean: null, min: null, max: null },
      };
    },
  };
}
