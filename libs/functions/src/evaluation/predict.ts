import { createWriteStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { z } from 'zod';
import { type Context, fileId, pathOf } from '../context.ts';
import { defineFunction } from '../define.ts';
import { openModel } from './model.ts';
import { readModelCard } from './model-card.ts';
import { headerLine, predictionLines, shortFloat } from './predictions.ts';
import { readBatches } from './rows.ts';
import { makeSummary, Summary } from './summary.ts';

const resultName = 'predictions.csv';

/** So many rows are read before the job counts as valid; the others are judged as they come. */
const rowsToValidate = 1_000;

const Parameters = z.strictObject({
  model: fileId('The model: an ONNX file'),
  modelCard: fileId('What the model is for and how to feed it: a model.json'),
  data: fileId('The rows: a CSV file with a header'),
  batchSize: z.int().min(1).max(10_000).default(1_000).describe('Rows per inference'),
  ignoreExtraColumns: z.boolean().default(false).describe('Let columns pass that the model does not take'),
});
type PredictContext = Context<z.output<typeof Parameters>>;

export const predict = defineFunction({
  name: 'predict',
  version: '1.0.0',
  description:
    'Applies an ONNX model to every row of a CSV file: row_id, prediction and, for a classifier, class probabilities.',
  input: Parameters,
  output: Summary,
  result: resultName,
  files: true,
  // The model itself fails for good; a process that was killed (memory) deserves another try.
  retry: { maximumAttempts: 3, initialIntervalMs: 1_000, backoffCoefficient: 2 },
  isolation: 'process',

  async validate(context) {
    const { batches } = await open(context, rowsToValidate);
    while (!(await batches.next()).done) context.signal.throwIfAborted();
  },

  async execute(context) {
    const { scratch, signal, log, progress, addFile } = context;
    const { card, model, batches } = await open(context);
    const { size } = await stat(pathOf(context, context.parameters.data));
    log.info(`Model '${card.name}' (${card.task}) is loaded; it takes ${card.features.length} columns`);
    const summary = makeSummary(card);
    const format = model.precision === 'float32' ? shortFloat : String;
    let rows = 0;

    async function* lines(): AsyncGenerator<string> {
      yield headerLine(card);
      for await (const batch of batches) {
        signal.throwIfAborted();
        const scores = await model.score(batch.matrix, batch.rows);
        summary.add(scores);
        yield predictionLines(scores, card, rows, format);
        rows += batch.rows;
        progress({ done: batch.bytes, total: size, unit: 'bytes', message: `${rows} rows` });
      }
    }

    const path = join(scratch, resultName);
    await pipeline(Readable.from(lines(), { highWaterMark: 1 }), createWriteStream(path), { signal });
    log.info(`${rows} rows are predicted`);
    addFile({ name: resultName, mediaType: 'text/csv', path });
    return summary.done();
  },
});

async function open(context: PredictContext, maxRows?: number) {
  const { batchSize, ignoreExtraColumns, modelCard, model: modelFile, data } = context.parameters;
  const card = await readModelCard(pathOf(context, modelCard));
  const model = await openModel(pathOf(context, modelFile), card);
  const { features } = card;
  const reading = {
    path: pathOf(context, data),
    features,
    precision: model.precision,
    batchSize,
    ignoreExtraColumns,
    maxRows,
  };
  return { card, model, batches: readBatches(reading) };
}
