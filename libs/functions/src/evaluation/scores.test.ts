import { describe, expect, test } from '@jest/globals';
import { ModelCard } from './model-card.ts';
import { predictionLines, shortFloat } from './predictions.ts';
import { scoresFrom } from './scores.ts';
import { makeSummary } from './summary.ts';

function aCard(given: object = {}): ModelCard {
  const card = {
    name: 'm',
    task: 'Binary',
    target: 't',
    features: ['a'],
    classes: ['no', 'yes'],
    input: 'X',
    outputs: ['label', 'p'],
  };
  return ModelCard.parse({ ...card, ...given });
}
const regression = aCard({ task: 'Regression', classes: null, outputs: ['v'] });
const tensor = (type: string, data: ArrayLike<unknown>, ...dims: number[]) => ({ type, data, dims });
const p = tensor('float32', [0.75, 0.25, 0.25, 0.75], 2, 2);

describe('a label is read', () => {
  test.each([
    ['as the place of its class', tensor('int64', [0n, 1n], 2), ['no', 'yes']],
    ['as a truth', tensor('bool', [0, 1], 2), ['no', 'yes']],
    ['as a truth with names', tensor('bool', [1, 0], 2), ['True', 'False']],
    ['as a name', tensor('string', ['yes', 'no'], 2), ['yes', 'no']],
    ['as the value of its class', tensor('int64', [3n, 7n], 2), ['3', '7']],
    ['as a float', tensor('float32', [0, 1], 2), ['no', 'yes']],
    ['from a column', tensor('int64', [0n, 1n], 2, 1), ['no', 'yes']],
  ])('%s', (_, label, classes) => {
    expect(scoresFrom({ label, p }, aCard({ classes }), 2)).toMatchObject({ labels: [0, 1], width: 2 });
  });

  test.each([
    ['out of range', tensor('int64', [0n, 2n], 2), "'2'"],
    ['unknown', tensor('string', ['yes', 'maybe'], 2), "'maybe'"],
    ['missing', tensor('int64', [0n], 1), '1 labels for 2 rows'],
  ])('with an error when it is %s', (_, label, message) => {
    expect(() => scoresFrom({ label, p }, aCard(), 2)).toThrow(message);
  });
});

test('without labels the likeliest class is the prediction', () => {
  expect(scoresFrom({ p }, aCard({ outputs: ['p'] }), 2)).toMatchObject({
    labels: [0, 1],
    probabilities: [0.75, 0.25, 0.25, 0.75],
  });
});

test('one probability a row is that of the second class', () => {
  const one = tensor('float32', [0.25, 0.75], 2, 1);
  expect(scoresFrom({ p: one }, aCard({ outputs: ['p'] }), 2)).toMatchObject({
    labels: [0, 1],
    probabilities: [0.75, 0.25, 0.25, 0.75],
  });
});

test('an output of another size than announced is an error that names both', () => {
  expect(() => scoresFrom({ v: tensor('float32', [1, 2, 3], 3, 1) }, regression, 2)).toThrow(
    "'v' is 3 × 1 for 2 rows; 2 × 1 was expected",
  );
});

test('class names are quoted where CSV needs it', () => {
  const scores = { kind: 'classes', labels: [1], probabilities: [0.5, 0.5], width: 2 } as const;
  const card = aCard({ classes: ['a', 'b, "c"'] });
  expect(predictionLines({ ...scores, labels: [1], probabilities: [0.5, 0.5] }, card, 7, String)).toBe(
    '7,"b, ""c""",0.5,0.5\n',
  );
});

test.each([
  [0.1, '0.1'],
  [89.3413, '89.3413'],
  [7.1823597e-6, '0.0000071823597'],
  [1 / 3, '0.33333334'],
  [16777217, '16777216'],
  [-0, '0'],
  [NaN, 'NaN'],
  [3.4028234663852886e38, '3.4028235e+38'],
])('%d is written as %s, and reads back as the same float', (value, text) => {
  const single = Math.fround(value);
  expect(shortFloat(single)).toBe(text);
  expect(Math.fround(Number(shortFloat(single)))).toBe(single === 0 ? 0 : single);
});

test('the summary of a classifier counts, that of a regression measures', () => {
  const counts = makeSummary(aCard());
  counts.add({ kind: 'classes', labels: [1, 1], probabilities: [], width: 2 });
  expect(counts.done()).toEqual({
    model: 'm',
    task: 'Binary',
    target: 't',
    rows: 2,
    classes: { no: 0, yes: 2 },
    predictions: null,
  });
  const measures = makeSummary(regression);
  measures.add({ kind: 'numbers', numbers: [1, NaN] });
  measures.add({ kind: 'numbers', numbers: [3] });
  expect(measures.done()).toMatchObject({ rows: 3, classes: null, predictions: { mean: 2, min: 1, max: 3 } });
  const nothing = makeSummary(regression);
  nothing.add({ kind: 'numbers', numbers: [NaN] });
  expect(nothing.done().predictions).toEqual({ mean: null, min: null, max: null });
});
