import { FatalError } from '../errors.ts';
import type { ModelCard } from './model-card.ts';

/** As much of a tensor as is read here. */
export type NamedTensors = Readonly<
  Record<string, { type: string; dims: readonly number[]; data: ArrayLike<unknown> }>
>;

/** A model's answer for the rows of a batch; `probabilities` row by row in the order of the card's classes. */
export type Scores =
  | { kind: 'numbers'; numbers: number[] }
  | { kind: 'classes'; labels: number[]; probabilities: number[]; width: number };

/** Reads the outputs that the card names. Throws `FatalError` when their form is not the card's. */
export function scoresFrom(tensors: NamedTensors, card: ModelCard, rows: number): Scores {
  if (card.task === 'Regression')
    return { kind: 'numbers', numbers: numbersOf(tensors, card.outputs[0] ?? '', rows, 1) };
  const { classes, outputs } = card;
  const probabilities = probabilitiesOf(tensors, outputs.at(-1) ?? '', rows, classes.length);
  const labels =
    outputs.length === 2
      ? labelsOf(tensors, outputs[0] ?? '', rows, classes)
      : likeliest(probabilities, classes.length);
  return { kind: 'classes', labels, probabilities, width: classes.length };
}

function probabilitiesOf(tensors: NamedTensors, name: string, rows: number, width: number): number[] {
  // Some exports give a binary model's probability of its second class only.
  const given = cellsOf(tensors, name).length;
  if (width === 2 && rows > 0 && given === rows)
    return numbersOf(tensors, name, rows, 1).flatMap((p) => [1 - p, p]);
  return numbersOf(tensors, name, rows, width);
}

function numbersOf(tensors: NamedTensors, name: string, rows: number, width: number): number[] {
  const cells = cellsOf(tensors, name);
  if (cells.length !== rows * width) {
    const dims = tensors[name]?.dims.join(' × ') ?? '';
    throw new FatalError(
      `The model's output '${name}' is ${dims} for ${rows} rows; ${rows} × ${width} was expected`,
    );
  }
  return Array.from(cells, Number);
}

function cellsOf(tensors: NamedTensors, name: string): ArrayLike<unknown> {
  const tensor = tensors[name];
  if (!tensor) throw new FatalError(`The model gave no output '${name}'`);
  return tensor.data;
}

/**
 * Labels come as the class's name (string), as truth (bool), as its number (classes `["3", "7"]`: 3 or 7) or, where the
 * classes have other names, as its place in the card (0, 1, …).
 */
function labelsOf(tensors: NamedTensors, name: string, rows: number, classes: readonly string[]): number[] {
  const cells = cellsOf(tensors, name);
  if (cells.length !== rows)
    throw new FatalError(`The model's output '${name}' has ${cells.length} labels for ${rows} rows`);
  const byValue = classes.every((text) => /^-?\d+$/.test(text));
  const isTruth = tensors[name]?.type === 'bool';
  const lowerCase = classes.map((text) => text.toLowerCase());
  const placeOf = (label: unknown): number => {
    if (typeof label === 'string') return classes.indexOf(label);
    if (isTruth && lowerCase.includes('true')) return lowerCase.indexOf(label ? 'true' : 'false');
    if (byValue) return classes.indexOf(String(label));
    const place = Number(label);
    return Number.isInteger(place) && place < classes.length ? place : -1;
  };
  return Array.from(cells, (label) => {
    const place = placeOf(label);
    if (place < 0)
      throw new FatalError(
        `The model answered '${String(label).slice(0, 100)}', which is none of the card's classes`,
      );
    return place;
  });
}

function likeliest(probabilities: readonly number[], width: number): number[] {
  return Array.from({ length: probabilities.length / width }, (_, row) => {
    const own = probabilities.slice(row * width, (row + 1) * width);
    return own.indexOf(Math.max(...own));
  });
}
