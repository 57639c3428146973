import {
  AgentDetails,
  File,
  History,
  type HistoryEvent,
  Job,
  JobPage,
  type JobRequest,
  type LogLine,
  LogPage,
} from '@perdure/job/schemas';
import { isTerminal } from '@perdure/job/status';
import { basename } from 'node:path';
import { readFile } from 'node:fs/promises';
import type { z } from 'zod';
import { waitFor } from '../../support/wait.ts';

export type JobsClient = ReturnType<typeof jobsClient>;
type Event = z.output<typeof HistoryEvent>;
type Line = z.output<typeof LogLine>;

const patienceMs = 60_000;

/** Calls the API as a consumer does, and holds every answer against the published schema. */
export function jobsClient(url: string, key: string) {
  async function call(
    method: string,
    path: string,
    init: { body?: NonNullable<RequestInit['body']>; headers?: Record<string, string> } = {},
  ): Promise<Response> {
    const headers = { authorization: `Bearer ${key}`, ...init.headers };
    return fetch(new URL(path, url), { duplex: 'half', ...init, method, headers });
  }

  function post(path: string, body: object, headers: Record<string, string> = {}): Promise<Response> {
    return call('POST', path, {
      body: JSON.stringify(body),
      headers: { 'content-type': 'application/json', ...headers },
    });
  }

  async function good(answer: Response): Promise<unknown> {
    if (answer.ok) return answer.json();
    throw new Error(`${answer.url} was answered ${answer.status}: ${await answer.text()}`);
  }

  const job = async (id: string): Promise<Job> => Job.parse(await good(await call('GET', `/v1/jobs/${id}`)));

  /** Waits until the job is as wanted; an API that is away for a while is asked again. */
  function until(id: string, what: string, holds: (job: Job) => boolean): Promise<Job> {
    let last: Job | undefined;
    const look = async (): Promise<Job | undefined> => {
      last = await job(id);
      return holds(last) ? last : undefined;
    };
    return waitFor(look, { what: `job ${id} to be ${what}`, timeoutMs: patienceMs, everyMs: 50 }).catch(
      (cause: unknown) => {
        throw new Error(`The job was last seen as ${JSON.stringify(last)}`, { cause });
      },
    );
  }

  return {
    url,
    key,
    call,
    post,
    job,
    until,
    submit: async (request: JobRequest, headers?: Record<string, string>): Promise<Job> =>
      Job.parse(await good(await post('/v1/jobs', request, headers))),
    running: (id: string) => until(id, 'RUNNING', ({ status }) => status === 'RUNNING'),
    /** Over, and recorded as such. */
    ended: (id: string) =>
      until(id, 'over', ({ status, source }) => isTerminal(status) && source === 'record'),
    cancel: (id: string, body: object = {}) => post(`/v1/jobs/${id}:cancel`, body),
    reassign: (id: string, body: object) => post(`/v1/jobs/${id}:reassign`, body),
    history: async (id: string): Promise<Event[]> =>
      History.parse(await good(await call('GET', `/v1/jobs/${id}/history`))).items,
    logs: async (id: string): Promise<Line[]> =>
      LogPage.parse(await good(await call('GET', `/v1/jobs/${id}/logs`))).items,
    list: async (): Promise<JobPage['items']> =>
      JobPage.parse(await good(await call('GET', '/v1/jobs?pageSize=100'))).items,
    agent: async (id: string): Promise<AgentDetails> =>
      AgentDetails.parse(await good(await call('GET', `/v1/agents/${id}`))),
    /** Uploads a file (a path) or a text, and answers its id. */
    async upload(content: { path: string } | { text: string }): Promise<string> {
      const [name, body] =
        'path' in content
          ? [basename(content.path), await readFile(content.path)]
          : ['text.csv', content.text];
      const bytes = typeof body === 'string' ? body : new Uint8Array(body);
      const answer = await call('POST', `/v1/files?name=${name}`, {
        body: bytes,
        headers: { 'content-type': 'application/octet-stream' },
      });
      return File.parse(await good(answer)).id;
    },
  };
}
