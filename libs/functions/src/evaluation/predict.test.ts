import { execFile } from 'node:child_process';
import { createWriteStream } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { JsonObject } from '@perdure/job/json';
import type { Ran, Run } from '../../../../tests/support/run-function.ts';

const root = fileURLToPath(new URL('../../../../', import.meta.url));
const odd = join(root, 'tests/fixtures/models/odd');
const ids = {
  model: '00000000-0000-7000-8000-00000000000a',
  modelCard: '00000000-0000-7000-8000-00000000000b',
  data: '00000000-0000-7000-8000-00000000000c',
};

let folder: string;
beforeAll(async () => void (folder = await mkdtemp(join(tmpdir(), 'predict-'))));
afterAll(() => rm(folder, { recursive: true }));

type Given = {
  model: string;
  card: string | object;
  data: string;
  parameters?: JsonObject;
  stages?: Run['stages'];
};

/** Runs `predict` in a process of its own; texts with a line end are contents, others are paths. */
async function predict({
  model,
  card,
  data,
  parameters = {},
  stages = ['validate', 'execute'],
}: Given): Promise<Ran & { csv: string }> {
  const scratch = await mkdtemp(join(folder, 'run-'));
  const place = async (name: string, content: string): Promise<string> => {
    if (!content.includes('\n')) return content.startsWith('/') ? content : join(root, content);
    await writeFile(join(scratch, name), content);
    return join(scratch, name);
  };
  const run: Run = {
    pack: 'evaluation',
    name: 'predict',
    stages,
    scratch,
    parameters: { ...ids, ...parameters },
    files: {
      [ids.model]: await place('model.onnx', model),
      [ids.modelCard]: await place(
        'model.json',
        typeof card === 'string' ? card : `${JSON.stringify(card)}\n`,
      ),
      [ids.data]: await place('data.csv', data),
    },
  };
  const program = join(root, 'tests/support/run-function.ts');
  const { stdout } = await promisify(execFile)(process.execPath, [program, JSON.stringify(run)]);
  const ran = JSON.parse(stdout) as Ran;
  return {
    ...ran,
    csv: ran.error ? '' : await readFile(join(scratch, 'predictions.csv'), 'utf8').catch(() => ''),
  };
}

function example(name: string, data = `examples/${name}/score.csv`): Given {
  return { model: `examples/${name}/model.onnx`, card: `examples/${name}/model.json`, data };
}

const cells = (csv: string) =>
  csv
    .trim()
    .split('\n')
    .map((line) => line.split(','));

/** Every number within 1e-5, everything else the same. */
function expectClose(csv: string, wanted: string): void {
  const [rows, wantedRows] = [cells(csv), cells(wanted)];
  const isNumber = (cell: string | undefined) => !Number.isNaN(Number(cell));
  const texts = (table: string[][]) =>
    table.map((row) => row.map((cell) => (isNumber(cell) ? 'number' : cell)));
  expect(texts(rows)).toEqual(texts(wantedRows));
  const apart = rows.flatMap((row, at) =>
    row.map((cell, column) => Math.abs(Number(cell) - Number(wantedRows[at]?.[column]))),
  );
  expect(Math.max(...apart.filter((difference) => !Number.isNaN(difference)))).toBeLessThanOrEqual(1e-5);
}

describe('the reference results are met', () => {
  test.each(['breast-cancer', 'diabetes'])('of %s', async (name) => {
    const { csv, output, files, progress } = await predict(example(name));
    const wanted = await readFile(join(root, `examples/${name}/expected/predict.csv`), 'utf8');
    expectClose(csv, wanted);
    expect(output).toMatchObject({ model: name, rows: cells(wanted).length - 1, target: 'target' });
    expect(files).toEqual([
      { name: 'predictions.csv', mediaType: 'text/csv', path: expect.stringContaining('predictions.csv') },
    ]);
    expect(progress[0]?.done).toBe(progress[0]?.total);
  });

  test('whatever the batch size', async () => {
    const [one, three] = await Promise.all(
      [1, 3].map((batchSize) => predict({ ...example('breast-cancer'), parameters: { batchSize } })),
    );
    expectClose(one?.csv ?? '', three?.csv ?? '');
    expect(one?.output).toEqual({
      model: 'breast-cancer',
      task: 'Binary',
      target: 'target',
      rows: 171,
      classes: { malignant: 50, benign: 121 },
      predictions: null,
    });
  });

  test('with the target among the columns, when that may be ignored', async () => {
    const data = 'examples/diabetes/train.csv';
    const strict = await predict({ ...example('diabetes', data), stages: ['validate'] });
    expect(strict.error).toMatchObject({
      code: 'invalid-input',
      details: [{ pointer: 'line 1, column target' }],
    });
    const { error, output } = await predict({
      ...example('diabetes', data),
      parameters: { ignoreExtraColumns: true },
    });
    expect([error, output]).toMatchObject([null, { rows: 309 }]);
  });
});

describe('the outputs of other exporters are read', () => {
  const data = 'b,a\n2,1\n-2,-1\n';
  const card = {
    name: 'odd',
    task: 'Binary',
    target: 't',
    features: ['a', 'b'],
    classes: ['no', 'yes'],
    input: 'X',
    outputs: ['label', 'probabilities'],
  };
  const lines = (yes: string, no: string, p: string, q: string) =>
    `row_id,prediction,class_${no},class_${yes}\n0,${yes},${q},${p}\n1,${no},${p},${q}\n`;
  const [p, q] = ['0.9525741', '0.047425866'];

  test.each([
    ['bool-label', card, lines('yes', 'no', p, q)],
    ['bool-label', { ...card, classes: ['False', 'True'] }, lines('True', 'False', p, q)],
    ['string-label', card, lines('yes', 'no', p, q)],
    ['value-label', { ...card, classes: ['3', '7'] }, lines('7', '3', p, q)],
    ['one-probability', { ...card, outputs: ['probability'] }, lines('yes', 'no', p, q)],
    [
      'float64',
      { ...card, outputs: ['probabilities'] },
      lines('yes', 'no', '0.9525741268224334', '0.047425873177566635'),
    ],
  ])('%s', async (name, given, csv) => {
    const ran = await predict({ model: `${odd}/${name}.onnx`, card: given, data });
    expect(ran.error).toBeNull();
    expectClose(ran.csv, csv);
  });
});

describe('before anything runs, validate refuses', () => {
  const zipmap = {
    name: 'odd',
    task: 'Binary',
    target: 't',
    features: ['a', 'b'],
    classes: ['no', 'yes'],
    input: 'X',
    outputs: ['label', 'maps'],
  };
  const good = example('diabetes');
  const changed = async (change: object) => ({
    ...(JSON.parse(await readFile(join(root, good.card as string), 'utf8')) as object),
    ...change,
  });

  test.each([
    [
      'a model that is no ONNX',
      { model: 'examples/diabetes/score.csv' },
      'invalid-model',
      'not an ONNX model',
    ],
    ['an empty model', { model: '\n' }, 'invalid-model', 'The model'],
    [
      'a list of maps',
      { model: `${odd}/zipmap.onnx`, card: zipmap, data: 'a,b\n1,2\n' },
      'invalid-model',
      'zipmap switched off',
    ],
    ['a card that is no JSON', { card: 'examples/diabetes/score.csv' }, 'invalid-model', 'not JSON'],
    [
      'the card of another model',
      { card: 'examples/breast-cancer/model.json' },
      'invalid-model',
      'takes 10 features, the card names 30',
    ],
    ['data that are no CSV', { data: 'examples/diabetes/model.onnx' }, 'invalid-input', 'line 1'],
  ])('%s', async (_, given, code, message) => {
    const { error } = await predict({ ...good, ...given, stages: ['validate'] });
    expect(error).toMatchObject({ code, message: expect.stringContaining(message) });
    expect(error?.message).not.toContain(root);
  });

  test.each([
    ['an unknown input', { input: 'Y' }, "has no input 'Y'; it has 'X'"],
    ['an unknown output', { outputs: ['other'] }, "has no output 'other'; it has 'variable'"],
    ['an unknown field', { colour: 'red' }, 'model card /colour: unknown field'],
    ['an unknown task', { task: 'Clustering' }, 'model card /task'],
    ['a classifier without classes', { task: 'Binary' }, 'model card /classes'],
    ['two features of one name', { features: ['a', 'a'] }, 'model card /features: names must differ'],
  ])('a card with %s', async (_, change, message) => {
    const { error } = await predict({ ...good, card: await changed(change), stages: ['validate'] });
    expect(error).toMatchObject({ code: 'invalid-model', message: expect.stringContaining(message) });
  });

  test('but what stands far down in the data is found when it is reached', async () => {
    const data = `a,b\n${'1,2\n'.repeat(5_000)}1,red\n`;
    const given: Given = {
      model: `${odd}/bool-label.onnx`,
      card: { ...zipmap, outputs: ['label', 'probabilities'] },
      data,
    };
    expect((await predict({ ...given, stages: ['validate'] })).error).toBeNull();
    expect((await predict({ ...given, stages: ['execute'] })).error).toMatchObject({
      code: 'invalid-input',
      details: [{ pointer: 'line 5002, column b', detail: "'red' is not a number" }],
    });
  });
});

test('memory stays flat, however long the file', async () => {
  const path = join(folder, 'long.csv');
  const [header = '', ...rows] = (await readFile(join(root, 'examples/breast-cancer/score.csv'), 'utf8'))
    .trim()
    .split('\n');
  const block = `${rows.join('\n')}\n`;
  function* content(): Generator<string> {
    yield `${header}\n`;
    for (let times = 0; times < 1_755; times++) yield block;
  }
  await pipeline(Readable.from(content()), createWriteStream(path));
  const short = await predict(example('breast-cancer'));
  const long = await predict(example('breast-cancer', path));
  expect(long.output).toMatchObject({
    rows: 300_105,
    classes: { malignant: 50 * 1_755, benign: 121 * 1_755 },
  });
  // The file has 64 MB, the result 13 MB; a short file takes about 125 MB.
  expect(long.peakMegabytes).toBeLessThan(short.peakMegabytes + 150);
}, 120_000);
