import { stat } from 'node:fs/promises';
import type { InferenceSession } from 'onnxruntime-node';
import { FatalError, InputError } from '../errors.ts';
import type { ModelCard } from './model-card.ts';
import { type NamedTensors, type Scores, scoresFrom } from './scores.ts';

const precisions = { float32: Float32Array, float64: Float64Array } as const;
export type Precision = keyof typeof precisions;
export type Matrix = Float32Array | Float64Array;

/** A loaded model that fits its card. `score` takes `rows` × features numbers, row by row. */
export type Model = { precision: Precision; score: (matrix: Matrix, rows: number) => Promise<Scores> };

type Metadata = InferenceSession.ValueMetadata;

export function emptyMatrix(precision: Precision, cells: number): Matrix {
  return new precisions[precision](cells);
}

/**
 * Loads the ONNX file and holds it against its card. Throws `InputError` 'invalid-model'.
 * The native library is imported here and not at the top: an agent that only lists the functions never loads it.
 */
export async function openModel(path: string, card: ModelCard): Promise<Model> {
  const [session, { Tensor }] = await Promise.all([sessionOf(path), import('onnxruntime-node')]);
  const precision = checkInput(session.inputMetadata, card);
  checkOutputs(session.outputMetadata, card);
  return {
    precision,
    async score(matrix, rows) {
      const data = matrix.subarray(0, rows * card.features.length);
      const dims = [rows, card.features.length];
      const input =
        data instanceof Float32Array ? new Tensor('float32', data, dims) : new Tensor('float64', data, dims);
      const results = await session.run({ [card.input]: input }, card.outputs).catch((cause: unknown) => {
        throw new FatalError(`The model failed while it ran: ${messageOf(cause)}`, { cause });
      });
      const tensors: NamedTensors = results;
      return scoresFrom(tensors, card, rows);
    },
  };
}

const sessionOptions = {
  // How a sum of trees is rounded depends on how rows are spread over threads. A fixed number gives the same answer on
  // every machine, two is that of the reference results; an agent's slots are what uses the other cores.
  intraOpNumThreads: 2,
  interOpNumThreads: 1,
  extra: { 'session.intra_op.allow_spinning': '0' },
  // What goes wrong is in the error, once, and not on stderr too.
  logSeverityLevel: 4,
} as const;

let last: { key: string; session: InferenceSession } | undefined;

/** The validate and the execute of one job share a process, and so the loaded model. */
async function sessionOf(path: string): Promise<InferenceSession> {
  const { size, mtimeMs } = await stat(path);
  const key = JSON.stringify([path, size, mtimeMs]);
  if (last?.key === key) return last.session;
  const { InferenceSession } = await import('onnxruntime-node');
  const session = await InferenceSession.create(path, sessionOptions).catch((cause: unknown) => {
    // The message names the path on this agent, which tells the user nothing.
    const why = messageOf(cause).replaceAll(path, 'the file');
    throw new InputError(`The model file is not an ONNX model that can be loaded: ${why}`, {
      code: 'invalid-model',
      cause,
    });
  });
  last = { key, session };
  return session;
}

function checkInput(inputs: readonly Metadata[], { input, features }: ModelCard): Precision {
  const found = inputs.find(({ name }) => name === input);
  if (!found) throw misfit(`has no input '${input}'; it has ${list(inputs)}`);
  const others = inputs.filter(({ name }) => name !== input);
  if (others.length > 0) throw misfit(`has further inputs (${list(others)}), which the card cannot feed`);
  if (!found.isTensor) throw misfit(`takes '${input}' as something else than a tensor`);
  if (found.type !== 'float32' && found.type !== 'float64') {
    throw misfit(`takes '${input}' as ${found.type}; float32 and float64 can be fed`);
  }
  const width = found.shape[1];
  if (found.shape.length !== 2)
    throw misfit(`takes '${input}' with ${found.shape.length} dimensions, not rows × features`);
  if (typeof width === 'number' && width >= 0 && width !== features.length) {
    throw misfit(`takes ${width} features, the card names ${features.length}`);
  }
  return found.type;
}

function checkOutputs(outputs: readonly Metadata[], card: ModelCard): void {
  for (const name of card.outputs) {
    const found = outputs.find((one) => one.name === name);
    if (!found) throw misfit(`has no output '${name}'; it has ${list(outputs)}`);
    if (!found.isTensor) {
      throw misfit(
        `gives '${name}' as a list of maps (ZipMap), which cannot be read; export the model with zipmap switched off`,
      );
    }
  }
}

function misfit(why: string): InputError {
  return new InputError(`The model does not fit its card: it ${why}`, { code: 'invalid-model' });
}

function list(values: readonly Metadata[]): string {
  return values.map(({ name }) => `'${name}'`).join(', ') || 'none';
}

function messageOf(cause: unknown): string {
  return (cause instanceof Error ? cause.message : String(cause)).trim();
}
