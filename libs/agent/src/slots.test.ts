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
const open = (capacity: number, idleMs = long, isOver = () => Promise.resolve(false)) => {
  const slots = openSlots({ capacity, idleMs, lookMs: 5, isOver });
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

  test('does not poll for a slot that a claim under way is about to take', async () => {
    const slots = open(2);
    slots.reserve(request('a'));
    let [under, free] = [1, false];
    const waiting = slots.whenFree(never, () => under).then(() => (free = true));
    slots.recheck();
    await Promise.resolve();
    expect(free).toBe(false);
    under = 0;
    slots.recheck();
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
    idle(0);
    await waitFor(() => slots.held() === 0, { what: 'the slot to be free' });
  });

  test('drops a job that waits for its next stage as soon as its attempt is over', async () => {
    let over = false;
    const slots = open(1, long, () => Promise.resolve(over));
    slots.reserve(request('a'));
    slots.busy(request('a'))(long);
    expect(slots.held()).toBe(1);
    over = true;
    await waitFor(() => slots.held() === 0, { what: 'the slot to be free' });
  });

  test('takes nothing while it is closed, for whichever reason, and then again', () => {
    const slots = open(2);
    slots.close('order');
    slots.close('unfit');
    slots.open('order');
    expect(slots.reserve(request('a'))).toBe(false);
    slots.open('unfit');
    expect(slots.reserve(request('a'))).toBe(true);
  });

  test('lets a job that is to run alone wait until it is, and takes none beside it', async () => {
    const slots = open(3);
    slots.reserve(request('a'));
    expect(slots.reserve(request('b'), true)).toBe(true);
    expect(slots.reserve(request('c'))).toBe(false);
    await slots.mayRun(request('a'));
    let runs = false;
    const alone = slots.mayRun(request('b')).then(() => (runs = true));
    await Promise.resolve();
    expect(runs).toBe(false);
    await slots.release(request('a'));
    await alone;
    await slots.release(request('b'));
    expect(slots.reserve(request('c'))).toBe(true);
  });

  test('never runs a job that was let go while it waited to be alone', async () => {
    const slots = open(2);
    slots.reserve(request('a'));
    slots.reserve(request('b'), true);
    const waiting = slots.mayRun(request('b'));
    await slots.release(request('b'));
    await expect(waiting).rejects.toMatchObject({ code: 'stale-attempt' });
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
