import type { Database } from '@perdure/store/database';
import { reportProgress } from '@perdure/store/report';
import { Agent, get, type IncomingMessage } from 'node:http';
import { waitFor } from '../support/wait.ts';
import type { Plan } from './arguments.ts';
import { memoryOf } from './proc.ts';
import type { RunningApi } from './programs.ts';
import { startSleeping } from './reads.ts';
import { type Latency, latencyOf } from './statistics.ts';

/** From a change, before it is committed, until a reader has the message, in ms. `perSecond`: messages to all readers while changes come in a row. */
export type Fan = { readers: number; told: Latency; last: number; perSecond: number; bytesEach: number };

export const manyStreams = { MAX_STREAMS_PER_KEY: '100000' };
const openedAtOnce = 100;

type Reader = { revision: number; messages: number; at: number; close(): void };

export async function fanRound(
  api: RunningApi,
  db: Database,
  plan: Plan,
  signal: AbortSignal,
): Promise<Fan[]> {
  const jobs = await startSleeping(api.http);
  const [id = ''] = jobs.ids;
  const revision = async () => ((await api.http.get(`/v1/jobs/${id}`)).body as { revision: number }).revision;
  let done = 0;
  const change = () => reportProgress(db, id, 1, { done: ++done, total: null, unit: null, message: null });
  try {
    const fans: Fan[] = [];
    for (const { readers: count, times } of plan.streams) {
      const before = await memoryOf(api.child.pid);
      const readers = await openStreams(api, id, count, await revision());
      const { resident } = await memoryOf(api.child.pid);
      const all = (wanted: number) => () => readers.every((reader) => reader.revision >= wanted);
      const measured: number[] = [];
      let now = await revision();
      for (let time = 0; time < times; time++) {
        signal.throwIfAborted();
        const began = performance.now();
        await change();
        await waitFor(all(++now), { timeoutMs: 30_000, everyMs: 1, what: 'all readers to be told' });
        measured.push(...readers.map(({ at }) => at - began));
      }
      const told = messagesOf(readers);
      const began = performance.now();
      for (let time = 0; time < times; time++) await change();
      now += times;
      await waitFor(all(now), { timeoutMs: 30_000, everyMs: 1, what: 'all readers to be told' });
      // Changes that come faster than they are read are told as one.
      const messages = messagesOf(readers) - told;
      const perSecond = (messages * 1_000) / (performance.now() - began);
      for (const reader of readers) reader.close();
      const bytesEach = (resident - before.resident) / count;
      fans.push({
        readers: count,
        told: latencyOf(measured),
        last: Math.max(...measured),
        perSecond,
        bytesEach,
      });
    }
    return fans;
  } finally {
    await jobs.end();
  }
}

const messagesOf = (readers: readonly Reader[]) => readers.reduce((sum, { messages }) => sum + messages, 0);

async function openStreams(
  { origin, key }: RunningApi,
  id: string,
  count: number,
  after: number,
): Promise<Reader[]> {
  const agent = new Agent({ maxSockets: Infinity });
  const headers = { authorization: `Bearer ${key}`, 'last-event-id': String(after) };
  const readers: Reader[] = [];
  while (readers.length < count) {
    const some = Math.min(openedAtOnce, count - readers.length);
    const opened = Array.from({ length: some }, async () => {
      const response = await new Promise<IncomingMessage>((resolve, reject) => {
        get(new URL(`/v1/jobs/${id}/events`, origin), { agent, headers }, resolve).on('error', reject);
      });
      if (response.statusCode !== 200) throw new Error(`a stream was answered ${response.statusCode}`);
      return readerOf(response);
    });
    readers.push(...(await Promise.all(opened)));
  }
  return readers;
}

function readerOf(response: IncomingMessage): Reader {
  const reader: Reader = { revision: 0, messages: 0, at: 0, close: () => response.destroy() };
  response.setEncoding('utf8').on('data', (text: string) => {
    const ids = [...text.matchAll(/^id: (\d+)$/gm)];
    const revision = Number(ids.at(-1)?.[1] ?? 0);
    reader.messages += ids.length;
    if (revision <= reader.revision) return;
    reader.revision = revision;
    reader.at = performance.now();
  });
  response.on('error', () => undefined);
  return reader;
}
