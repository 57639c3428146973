import { readFileSync } from 'node:fs';

import { describe, expect, test } from '@jest/globals';

import { apiVariables, loadApiConfig } from './api.ts';
import { ConfigurationError } from './environment.ts';
import { loadLocalConfig, localVariables } from './local.ts';
import { migrationVariables } from './migration.ts';
import { about } from './variable.ts';
import { loadWorkerConfig, workerVariables } from './worker.ts';

const needed = { DATABASE_URL: 'postgres://me:hunter2@db/perdure', STORAGE_URL: 'file:/var/lib/perdure' };

function problemsOf(load: () => unknown): readonly string[] {
  try {
    load();
  } catch (error) {
    if (error instanceof ConfigurationError) return error.problems;
    throw error;
  }
  throw new Error('nothing was wrong');
}

describe('what is left out', () => {
  test('the API needs a database and a storage, and says how to name them', () => {
    expect(problemsOf(() => loadApiConfig({}))).toEqual([
      expect.stringMatching(/^DATABASE_URL is missing\. Set it to .*postgres:\/\//),
      expect.stringMatching(/^STORAGE_URL is missing\. Set it to file:/),
    ]);
  });

  test('the local stack needs nothing', () => {
    const config = loadLocalConfig({});
    expect(config).toMatchObject({ port: 3000, database: { url: undefined, port: 5433 } });
    expect(config.temporal).toMatchObject({ address: undefined, port: 7233, uiPort: 8233 });
    expect(config.storageUrl).toBe(`file:${config.home}/storage`);
  });

  test('an empty text counts as absent', () => {
    expect(loadApiConfig({ ...needed, PORT: '', AWS_REGION: '' })).toEqual(loadApiConfig(needed));
  });

  test('a worker has both roles, the usual packs and at least one slot', () => {
    const { roles, agent } = loadWorkerConfig(needed);
    expect(roles).toEqual(['orchestrator', 'agent']);
    expect(agent).toMatchObject({ packs: ['reference', 'evaluation'], leaseSeconds: 15, drainSeconds: 30 });
    expect(agent.slots).toBeGreaterThan(0);
  });
});

describe('what is wrong', () => {
  test.each([
    ['PORT', '65536'],
    ['PORT', '-1'],
    ['PORT', '3000.5'],
    ['MAX_JSON_BYTES', '1e6'],
    ['LOG_LEVEL', 'loud'],
    ['STORAGE_URL', 'file:relative/folder'],
    ['STORAGE_URL', 'ftp://host/folder'],
    ['TEMPORAL_ADDRESS', 'http://temporal:7233'],
  ])('%s=%s is named, with its value and the remedy', (name, value) => {
    const problems = problemsOf(() => loadApiConfig({ ...needed, [name]: value }));
    expect(problems).toEqual([expect.stringContaining(`${name} is '${value}'. Set it to `)]);
  });

  test('every problem is named at once', () => {
    const env = { PORT: 'x', TEMPORAL_TLS_CERT: '/nowhere/cert.pem', AWS_ACCESS_KEY_ID: 'a' };
    const names = problemsOf(() => loadApiConfig(env)).map((problem) => problem.split(' ')[0]);
    expect(names.sort()).toEqual(
      [
        'PORT',
        'DATABASE_URL',
        'STORAGE_URL',
        'TEMPORAL_TLS_CERT',
        'TEMPORAL_TLS_KEY',
        'AWS_SECRET_ACCESS_KEY',
      ].sort(),
    );
  });

  test('a secret is never shown', () => {
    const secret = 'mysql://me:hunter2@db';
    const env = {
      ...needed,
      DATABASE_URL: secret,
      PERDURE_ADMIN_KEY: 'hunter2!',
      TEMPORAL_API_KEY: 'hunter2 ',
    };
    const problems = problemsOf(() => loadApiConfig(env));
    expect(problems).toHaveLength(3);
    expect(problems.join('\n')).not.toContain('hunter2');
  });

  test('an unknown role is named', () => {
    expect(problemsOf(() => loadWorkerConfig({ ...needed, WORKER_ROLES: 'agent,boss' }))).toEqual([
      expect.stringContaining("WORKER_ROLES is 'agent,boss'"),
    ]);
  });
});

test('an API key, or anything said about TLS, turns TLS on', () => {
  expect(loadApiConfig(needed).temporal.tls).toBeUndefined();
  expect(loadApiConfig({ ...needed, TEMPORAL_API_KEY: 'key' }).temporal.tls).toEqual({});
  expect(loadApiConfig({ ...needed, TEMPORAL_TLS_SERVER_NAME: 'temporal' }).temporal.tls).toEqual({
    serverNameOverride: 'temporal',
  });
});

describe('.env.example', () => {
  const shapes = [apiVariables, workerVariables, localVariables, migrationVariables].map(
    ({ shape }) => shape,
  );
  const known = new Map(shapes.flatMap((shape) => Object.entries(shape)));
  const lines = readFileSync(new URL('../../../.env.example', import.meta.url), 'utf8').split('\n');
  const listed = new Map(
    lines
      .filter((line) => /^[A-Z]/.test(line))
      .map((line) => [line.split('=')[0] ?? '', line.slice(line.indexOf('=') + 1)]),
  );

  test('lists exactly the variables that are read', () => {
    expect([...listed.keys()].sort()).toEqual([...known.keys()].sort());
  });

  test('gives the default of each', () => {
    const defaults = new Map(
      [...known.keys()].map((name) => {
        const fallbacks = shapes.flatMap((shape) => Object.entries(shape)).filter(([key]) => key === name);
        return [
          name,
          fallbacks.map(([, schema]) => about.get(schema)?.fallback).find((one) => one !== undefined) ?? '',
        ];
      }),
    );
    expect(Object.fromEntries(listed)).toEqual(Object.fromEntries(defaults));
  });
});
