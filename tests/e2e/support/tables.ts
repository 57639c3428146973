import { expect } from '@jest/globals';

const cells = (csv: string) =>
  csv
    .trim()
    .split('\n')
    .map((line) => line.split(','));

/** Numbers are the same within 1e-5, everything else exactly. */
export function expectSameTable(csv: string, wanted: string): void {
  const [rows, wantedRows] = [cells(csv), cells(wanted)];
  const rounded = (table: string[][], like: string[][]) =>
    table.map((row, at) =>
      row.map((cell, column) => {
        const reference = like[at]?.[column] ?? '';
        return Math.abs(Number(cell) - Number(reference)) <= 1e-5 ? reference : cell;
      }),
    );
  expect(rounded(rows, wantedRows)).toEqual(wantedRows);
}
