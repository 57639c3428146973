import { readFile, stat } from 'node:fs/promises';
import { z } from 'zod';
import { InputError } from '../errors.ts';
import { detailsOf, inWords } from '../parse.ts';

const maxCardBytes = 4 * 1024 * 1024;

const name = z.string().min(1).max(200);
const distinct = (texts: readonly string[]) => new Set(texts).size === texts.length;
const names = (least: number) =>
  z.array(name).min(least).max(50_000).refine(distinct, 'names must differ from each other');

const common = {
  name,
  target: name,
  /** The columns that the model takes, in its order. */
  features: names(1),
  /** The name of the model's input: a matrix of rows × features. */
  input: name,
  note: z.string().optional(),
};

/** The label first, then the probabilities; or the probabilities alone. */
const classifierOutputs = names(1).max(2);

/** What a model is for, and how to feed it: the `model.json` beside a `model.onnx`. */
export const ModelCard = z.discriminatedUnion('task', [
  z.strictObject({
    ...common,
    task: z.literal('Regression'),
    classes: z.null().optional(),
    outputs: names(1).max(1),
  }),
  z.strictObject({
    ...common,
    task: z.literal('Binary'),
    classes: names(2).max(2),
    outputs: classifierOutputs,
  }),
  z.strictObject({ ...common, task: z.literal('Multiclass'), classes: names(2), outputs: classifierOutputs }),
]);
export type ModelCard = z.output<typeof ModelCard>;

/** Throws `InputError` 'invalid-model' naming the field. */
export async function readModelCard(path: string): Promise<ModelCard> {
  if ((await stat(path)).size > maxCardBytes) throw refused(`it is larger than ${maxCardBytes} bytes`);
  let json: unknown;
  try {
    json = JSON.parse(await readFile(path, 'utf8'));
  } catch (cause) {
    throw refused(`it is not JSON: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
  }
  const parsed = ModelCard.safeParse(json);
  if (parsed.success) return parsed.data;
  const details = detailsOf(parsed.error).map(({ pointer, detail }) => ({
    pointer: `model card ${pointer || '/'}`,
    detail,
  }));
  throw refused(inWords(details), { details });
}

function refused(
  why: string,
  options: { details?: { pointer: string; detail: string }[]; cause?: unknown } = {},
): InputError {
  return new InputError(`The model card cannot be used: ${why}`, { code: 'invalid-model', ...options });
}
