import { expect } from '@jest/globals';
import {
  Assignment,
  Holding,
  Job,
  type AgentRequest,
  type CompleteRequest,
  type ReportRequest,
} from '@perdure/job/schemas';
import { randomUUID } from 'node:crypto';
import { waitFor } from '../../support/wait.ts';
import { type JobsClient, jobsClient } from './jobs-client.ts';

/** On a busy machine Temporal may not answer in time (503): an agent says the same again. */
function patiently(ask: () => Promise<Response>): Promise<Response> {
  const answered = async () => {
    const answer = await ask();
    return answer.status === 503 ? undefined : answer;
  };
  return waitFor(answered, { timeoutMs: 30_000, everyMs: 250, what: 'an answer other than 503' });
}

/** An agent with a key of its own that knows nothing but HTTP. Registered when this returns. */
async function httpAgent(admin: JobsClient, id: string, request: Partial<AgentRequest> = {}) {
  const made = await admin.post('/v1/keys', { name: `agent ${id}`, agentId: id });
  const { key } = (await made.json()) as { key: string };
  const client = jobsClient(admin.url, key);
  const registered = await client.post('/v1/agents', {
    functions: [{ name: 'by-hand', version: '1.0.0' }],
    leaseSeconds: 30,
    ...request,
  });
  if (!registered.ok) throw new Error(`registered as ${registered.status}: ${await registered.text()}`);

  const claimAnswer = (body: object = {}) => client.post(`/v1/agents/${id}/claim`, body);
  return {
    id,
    key,
    client,
    claimAnswer,
    /** The job that came, or undefined. */
    async claim(body: object = {}): Promise<Assignment | undefined> {
      const named = { claimId: randomUUID(), ...body };
      const answer = await patiently(() => claimAnswer(named));
      if (answer.status === 204) return undefined;
      if (!answer.ok) throw new Error(`claim: ${answer.status} ${await answer.text()}`);
      return Assignment.parse(await answer.json());
    },
    beat: async (jobs: { id: string; attempt: number }[] = []) => {
      const answer = await client.call('PUT', `/v1/agents/${id}/beat`, {
        body: JSON.stringify({ jobs }),
        headers: { 'content-type': 'application/json' },
      });
      return (await answer.json()) as { draining: boolean; jobs: Holding[]; lost: object[] };
    },
    reportAnswer: (jobId: string, body: ReportRequest) => client.post(`/v1/jobs/${jobId}/reports`, body),
    async report(jobId: string, body: ReportRequest): Promise<Holding> {
      const answer = await client.post(`/v1/jobs/${jobId}/reports`, body);
      if (!answer.ok) throw new Error(`report: ${answer.status} ${await answer.text()}`);
      return Holding.parse(await answer.json());
    },
    upload: (jobId: string, attempt: number, name: string, bytes: string) =>
      client.call('POST', `/v1/jobs/${jobId}/files?attempt=${attempt}&name=${name}`, {
        body: bytes,
        headers: { 'content-type': 'text/plain' },
      }),
    completeAnswer: (jobId: string, body: CompleteRequest) => client.post(`/v1/jobs/${jobId}:complete`, body),
    async complete(jobId: string, body: CompleteRequest): Promise<Job> {
      const answer = await patiently(() => client.post(`/v1/jobs/${jobId}:complete`, body));
      if (!answer.ok) throw new Error(`complete: ${answer.status} ${await answer.text()}`);
      return Job.parse(await answer.json());
    },
    fail: (jobId: string, body: object) => client.post(`/v1/jobs/${jobId}:fail`, body),
    giveBack: (jobId: string, body: object) => client.post(`/v1/jobs/${jobId}:giveBack`, body),
  };
}

/** A function that nobody but HTTP agents serves. It takes a text, and a file if it is given one. */
export async function registerByHand(admin: JobsClient, name = 'by-hand'): Promise<void> {
  const answer = await admin.call('PUT', `/v1/functions/${name}/1.0.0`, {
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      description: 'Done by an agent that speaks only HTTP',
      inputSchema: {
        type: 'object',
        properties: { text: { type: 'string' }, data: { type: 'string', format: 'perdure-file' } },
        additionalProperties: false,
      },
    }),
  });
  if (!answer.ok) throw new Error(`${answer.status}: ${await answer.text()}`);
}

export function newHttpAgent(admin: JobsClient, request: Partial<AgentRequest> = {}) {
  return httpAgent(admin, `http-${randomUUID().slice(0, 8)}`, request);
}

export function submitByHand(api: JobsClient, more: object = {}): Promise<Job> {
  return api.submit({ function: 'by-hand', parameters: { text: 'hello' }, ...more });
}

/** An agent that has a job of its own: no other agent can take it, and it can take no other. */
export async function httpAgentAtWork(api: JobsClient, request: Partial<AgentRequest> = {}) {
  const pool = `p-${randomUUID().slice(0, 8)}`;
  const agent = await newHttpAgent(api, { pools: [pool], ...request });
  const { id } = await submitByHand(api, { pool });
  const assignment = await agent.claim({ waitSeconds: 20 });
  if (assignment?.id !== id) throw new Error(`claimed ${assignment?.id} and not ${id}`);
  return { agent, id, pool, attempt: assignment.attempt };
}

/** Expects a problem with this status and code. */
export async function refused(
  given: Response | Promise<Response>,
  status: number,
  code: string,
): Promise<void> {
  const answer = await given;
  const { code: told } = (await answer.json()) as { code: string };
  expect([answer.status, told]).toEqual([status, code]);
}
