import { afterEach, expect, test } from '@jest/globals';
import { createServer, type Server } from 'node:net';
import { once } from 'node:events';
import { takePorts } from './ports.ts';

const servers: Server[] = [];
afterEach(() => servers.splice(0).forEach((server) => server.close()));

async function aTakenPort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  servers.push(server);
  await once(server, 'listening');
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}

const host = '127.0.0.1';

test('every port that is taken is named with its variable, at once', async () => {
  const [one, other] = [await aTakenPort(), await aTakenPort()];
  const wishes = [
    { host, port: one, variable: 'PORT', what: 'the API' },
    { host, port: 0, variable: 'TEMPORAL_PORT', what: 'the Temporal server' },
    { host, port: other, variable: 'POSTGRES_PORT', what: 'PostgreSQL' },
  ];
  await expect(takePorts(wishes)).rejects.toThrow(
    [
      `Port ${one} for the API is taken by another program. Set PORT to a free port.`,
      `Port ${other} for PostgreSQL is taken by another program. Set POSTGRES_PORT to a free port.`,
    ].join('\n'),
  );
});

test('two wishes for the same port are named', async () => {
  const wishes = [
    { host, port: 45_999, variable: 'PORT', what: 'the API' },
    { host, port: 45_999, variable: 'TEMPORAL_PORT', what: 'the Temporal server' },
  ];
  await expect(takePorts(wishes)).rejects.toThrow(
    'Port 45999 for the Temporal server is also PORT, for the API. Set TEMPORAL_PORT to a free port.',
  );
});

test('0 is any free port, another one each time', async () => {
  const wish = { host, port: 0, variable: 'PORT', what: 'the API' };
  const ports = await takePorts([wish, wish, wish]);
  expect(new Set(ports).size).toBe(3);
  expect(Math.min(...ports)).toBeGreaterThan(0);
});
