import type { HeldJob } from '@perdure/activities/agent';
import { afterEach, describe, expect, test } from '@jest/globals';
import { existsSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { waitFor } from '../../../tests/support/wait.ts';
import { type AgentSlots, openSlots } from './slots.ts';

const long = 60_000;
const opened: AgentSlots[] = [];
const open = (capacity: number, idleMs = long) => {
  const slots = openSlots(capacity, idleMs);
  opened.push(slots);
  return slots;
};
const request = (jobId: string, attempt = 1) => ({ jobId, attempt });
const never = new AbortController().signal;

afterEach(async () => {
  for (const slots of opened.splice(0)) {
    for (const id of ['a', 'b', 'c']) for (const attempt of [1, 2]) await slots.release(request(id, attempt));
  }
});

describe('an agent', () => {
  test('never holds more jobs than slots', () => {
    const slots = open(2);
    expect([slots.reserve(request('a')), slots.reserve(request('b')), slots.reserve(request('c'))]).toEqual([
      true,
      true,
      false,
    ]);
    expect(slots.held()).toBe(2);
  });

  test('may be asked twice for the same claim, and holds it once', () => {
    const slots = open(1);
    expect([slots.reserve(request('a')), slots.reserve(request('a'))]).toEqual([true, true]);
    expect(slots.held()).toBe(1);
  });

  test('lets go of an older attempt when a newer one of the same job comes', async () => {
    const slots = open(1);
    slots.reserve(request('a', 1));
    expect(slots.reserve(request('a', 2))).toBe(true);
    expect(slots.find(request('a', 1))).toBeUndefined();
  });

  test('polls again as soon as a slot is free', async () => {
    const slots = open(1);
    slots.reserve(request('a'));
    let free = false;
    const waiting = slots.whenFree(never).then(() => (free = true));
    await Promise.resolve();
    expect(free).toBe(false);
    await slots.release(request('a'));
    await waiting;
  });

  test('stops waiting for a slot when its worker shuts down', async () => {
    const slots = open(1);
    slots.reserve(request('a'));
    const stop = new AbortController();
    const waiting = slots.whenFree(stop.signal);
    stop.abort();
    await expect(waiting).rejects.toThrow();
  });

  test('claims nothing while it drains, and is drained when the last job is gone', async () => {
    const slots = open(2);
    slots.reserve(request('a'));
    const drained = slots.drain();
    expect(slots.reserve(request('b'))).toBe(false);
    await slots.release(request('a'));
    await drained;
  });

  test('drops a claimed job whose first stage does not come', async () => {
    const slots = open(1, 20);
    slots.reserve(request('a'));
    await waitFor(() => slots.held() === 0, { what: 'the slot to be free' });
  });

  test('keeps a job as long as a stage of it runs', async () => {
    const slots = open(1, 20);
    slots.reserve(request('a'));
    slots.keep(await held('a'));
    const idle = slots.busy(request('a'));
    slots.reserve(request('b'));
    expect(slots.held()).toBe(1);
    idle();
    await waitFor(() => slots.held() === 0, { what: 'the slot to be free' });
  });

  test('ends the process and removes the scratch folder of a job that it lets go', async () => {
    const slots = open(1);
    let killed = false;
    const job = await held('a', () => (killed = true));
    slots.reserve(job.request);
    slots.keep(job);
    await slots.release(job.request);
    expect(killed).toBe(true);
    expect(existsSync(job.scratch)).toBe(false);
  });
});

async function held(jobId: string, kill: () => void = () => undefined): Promise<HeldJob> {
  const scratch = await mkdtemp(join(tmpdir(), 'perdure-slots-'));
  const session = { kill: async () => kill() } as HeldJob['session'];
  const answer = { retry: { maximumIntervalMs: 0 } } as HeldJob['answer'];
  return { request: { jobId, attempt: 1 }, answer, scratch, session } as HeldJob;
}
