import { createReadStream } from 'node:fs';
import { CsvError, parse } from 'csv-parse';
import { type Columns, matchColumns } from './columns.ts';
import { emptyMatrix, type Matrix, type Precision } from './model.ts';
import { Problems, quoted } from './problems.ts';

/** A row longer than this (characters) is taken for a file that is no CSV: it would have to be held in memory. */
const maxRowLength = 4 * 1024 * 1024;

/** `matrix` is overwritten by the next batch. `bytes`: so much of the file has been read. */
export type Batch = { matrix: Matrix; rows: number; bytes: number };

export type Reading = {
  path: string;
  features: readonly string[];
  precision: Precision;
  batchSize: number;
  ignoreExtraColumns: boolean;
  /** Read no more rows than these. */
  maxRows?: number;
};

type Row = { record: string[]; info: { lines: number; bytes: number } };

/**
 * The rows of a CSV file (RFC 4180, comma, UTF-8), in batches, as the matrix that the model takes. Holds one batch in memory.
 * Throws `InputError` 'invalid-input' with several wrong places: after the first it reads on to find more, but yields nothing.
 */
export async function* readBatches({
  path,
  features,
  precision,
  batchSize,
  ignoreExtraColumns,
  maxRows = Infinity,
}: Reading): AsyncGenerator<Batch> {
  const problems = new Problems();
  const matrix = emptyMatrix(precision, batchSize * features.length);
  let columns: Columns | undefined;
  let [count, filled, bytes] = [0, 0, 0];
  /** Where the row begins; a quoted cell may span lines. */
  let line = 1;
  const input = createReadStream(path);
  const parser = parse({ bom: true, info: true, relax_column_count: true, max_record_size: maxRowLength });
  input.on('error', (error) => parser.destroy(error)).pipe(parser);
  try {
    for await (const { record, info } of parser as AsyncIterable<Row>) {
      if (!columns) {
        columns = matchColumns(record, features, problems, { line, ignoreExtra: ignoreExtraColumns });
        // Without its columns no row of the file can be judged.
        problems.throwIfAny();
        line = info.lines + 1;
        continue;
      }
      count += 1;
      bytes = info.bytes;
      fillRow(matrix, filled, record, columns, features, line, problems);
      line = info.lines + 1;
      if (problems.full) break;
      filled += 1;
      if (filled === batchSize) {
        if (problems.found.length === 0) yield { matrix, rows: filled, bytes };
        filled = 0;
      }
      if (count >= maxRows) break;
    }
  } catch (error) {
    if (!(error instanceof CsvError)) throw error;
    problems.add({ line }, inPlainWords(error));
    problems.throwIfAny(error);
  } finally {
    input.destroy();
    parser.destroy();
  }
  if (!columns) problems.add({ line: 1 }, 'the file is empty; a header is needed');
  else if (count === 0) problems.add({ line: 2 }, 'there is a header, but no row');
  problems.throwIfAny();
  if (filled > 0) yield { matrix, rows: filled, bytes };
}

function fillRow(
  matrix: Matrix,
  row: number,
  cells: readonly string[],
  { names, places }: Columns,
  features: readonly string[],
  line: number,
  problems: Problems,
): void {
  if (cells.length === 1 && cells[0]?.trim() === '') return problems.add({ line }, 'the row is empty');
  if (cells.length !== names.length) {
    return problems.add({ line }, `the row has ${cells.length} cells, the header has ${names.length}`);
  }
  for (const [feature, place] of places.entries()) {
    const cell = cells[place] ?? '';
    const value = numberFrom(cell);
    const index = row * features.length + feature;
    matrix[index] = value;
    // A number that 32 bits cannot hold has become infinite by being stored.
    if (!Number.isFinite(matrix[index]))
      problems.add({ line, column: features[feature] ?? '' }, whyNoNumber(cell, value));
  }
}

const decimal = /^\s*[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?\s*$/;

function numberFrom(cell: string): number {
  return decimal.test(cell) ? Number(cell) : NaN;
}

function whyNoNumber(cell: string, value: number): string {
  if (cell.trim() === '') return 'the cell is empty; a number is needed';
  return Number.isNaN(value)
    ? `'${quoted(cell)}' is not a number`
    : `${quoted(cell)} is too large for the model's numbers`;
}

function inPlainWords(error: CsvError): string {
  if (error.code === 'CSV_MAX_RECORD_SIZE')
    return `a row is longer than ${maxRowLength} characters; is this a CSV file?`;
  if (error.code === 'CSV_QUOTE_NOT_CLOSED') return 'a quotation mark is never closed';
  return `not CSV: ${error.message.slice(0, 300)}`;
}
