import { History, Job } from '@perdure/job/schemas';
import { isTerminal } from '@perdure/job/status';
import pc from 'picocolors';
import type { ApiClient } from './api-client.ts';

/**
 * Follows a job to its end and shows each event as it comes. The API holds every question until the job has changed (`Prefer: wait`
 * with the ETag of the last answer), so that nobody polls.
 */
export async function follow(api: ApiClient, jobId: string, say: (text: string) => void): Promise<Job> {
  let etag: string | null = null;
  let shown = 0;
  for (;;) {
    const headers: Record<string, string> = {
      prefer: 'wait=20',
      ...(etag === null ? {} : { 'if-none-match': etag }),
    };
    const answer: Response = await api(`/v1/jobs/${jobId}`, { headers });
    if (answer.status === 304) continue;
    etag = answer.headers.get('etag');
    const job = Job.parse(await answer.json());
    const { items } = History.parse(await (await api(`/v1/jobs/${jobId}/history`)).json());
    for (const event of items.filter(({ seq }) => seq > shown)) say(inWords(event));
    shown = items.at(-1)?.seq ?? shown;
    if (isTerminal(job.status)) return job;
  }
}

function inWords({ at, status, agentId, message }: History['items'][number]): string {
  const clock = new Date(at).toISOString().slice(11, 23);
  const colour = status === 'COMPLETED' ? pc.green : status === 'FAILED' ? pc.red : pc.yellow;
  const more = [agentId === null ? '' : `on ${agentId}`, message ?? '']
    .filter((part) => part !== '')
    .join(': ');
  const told = more === '' ? colour(status) : `${colour(status.padEnd(10))}  ${pc.dim(more)}`;
  return `  ${pc.dim(clock)}  ${told}`;
}
