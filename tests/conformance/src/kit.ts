import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import type { Answer, Client, Json } from './client.ts';
import { Broken, Skip } from './outcome.ts';

export const terminal = ['COMPLETED', 'FAILED', 'CANCELED'];

/** How long a job may take to get somewhere. */
const jobPatienceMs = 20_000;

export type Kit = ReturnType<typeof makeKit>;

export type Check = { rule: string; title: string; run(kit: Kit): Promise<void> };

export type Deployment = {
  functions: readonly string[];
  /** A key of another tenant. */
  otherToken?: string | undefined;
  /** The jobs and files that checks share, by what they are for. */
  kept?: Map<string, Promise<Json>>;
};

/**
 * What checks share: jobs that several of them look at are made once. These ask in the plainest way there is, so that a rule that is
 * broken fails its own check and no other.
 */
export function makeKit(client: Client, { functions, otherToken, kept = new Map() }: Deployment) {
  const labels = { 'perdure-conformance': randomUUID() };

  function once(name: string, make: () => Promise<Json>): Promise<Json> {
    const made = kept.get(name) ?? make();
    kept.set(name, made);
    return made;
  }

  function request(name: string, parameters: object = {}, more: object = {}): object {
    if (!functions.includes(name)) throw new Skip(`no agent offers the function ${name}`);
    return { function: name, parameters, name: 'conformance', labels, ...more };
  }

  const submitAnswer = (
    name: string,
    parameters?: object,
    more?: object,
    headers: Record<string, string> = {},
  ) => client.ask('/v1/jobs', { json: request(name, parameters, more), headers });

  async function submit(name: string, parameters?: object, more?: object): Promise<Json> {
    const answer = await submitAnswer(name, parameters, more);
    if (answer.status >= 300 || typeof answer.body?.id !== 'string')
      throw new Broken('a job', `${answer.status} ${answer.text.slice(0, 300)}`, answer.curl);
    return answer.body;
  }

  async function until(id: string, what: string, holds: (job: Json) => boolean): Promise<Answer> {
    const end = Date.now() + jobPatienceMs;
    for (;;) {
      const answer = await client.ask(`/v1/jobs/${id}`);
      if (answer.body && holds(answer.body)) return answer;
      if (answer.body?.waitingReason?.kind === 'no-agent-serves')
        throw new Skip('no agent that is online serves the function');
      if (Date.now() > end)
        throw new Broken(
          `the job to be ${what} within ${jobPatienceMs / 1_000} s`,
          answer.text.slice(0, 300),
          answer.curl,
        );
      await pause(100);
    }
  }

  const ended = async (id: string): Promise<Json> =>
    (await until(id, 'over', ({ status }) => terminal.includes(status))).body;

  /** A job that an agent runs; canceled once it was looked at, so that its slot is free again. */
  async function whileRunning(look: (job: Json) => Promise<void>, seconds = 600): Promise<void> {
    const { id } = await submit('sleep', { seconds });
    try {
      await look((await until(id, 'RUNNING', ({ status }) => status === 'RUNNING')).body);
    } finally {
      await cancel(id).catch(() => undefined);
    }
  }

  const cancel = (id: string, json: object = { mode: 'force' }, headers: Record<string, string> = {}) =>
    client.ask(`/v1/jobs/${id}:cancel`, { json, headers });

  return {
    ...client,
    otherToken,
    labels,
    request,
    submit,
    submitAnswer,
    until,
    ended,
    whileRunning,
    cancel,
    completed: () => once('completed', async () => ended((await submit('echo', { hello: 'world' })).id)),
    failed: () => once('failed', async () => ended((await submit('fail', { message: 'as asked' })).id)),
    canceled: () =>
      once('canceled', async () => {
        const { id } = await submit('sleep', { seconds: 600 });
        await client.ask(`/v1/jobs/${id}:cancel`, { json: { mode: 'force' } });
        return ended(id);
      }),
    /** Logs five lines. */
    counted: () => once('counted', async () => ended((await submit('count', { to: 5, everyMs: 20 })).id)),
    /** A job that does not change as long as the kit runs. */
    later: () => once('later', () => submit('echo', {}, { notBefore: inAnHour() })),
    file: () =>
      once('file', async () => {
        const answer = await client.ask('/v1/files?name=kit.txt', {
          raw: fileText,
          headers: { 'content-type': 'text/plain' },
        });
        if (answer.status >= 300) throw new Broken('a file', `${answer.status} ${answer.text}`, answer.curl);
        return answer.body;
      }),
  };
}

export const inAnHour = (): string => new Date(Date.now() + 3_600_000).toISOString();

export const fileText = 'abcdefghijklmnopqrstuvwxyz';
