import type { GetJobData, Job } from './generated.ts';
import { sleep } from './retry.ts';
import { isTerminal } from './status.ts';
import type { Transport } from './transport.ts';

export type WaitOptions = {
  signal?: AbortSignal;
  /** Told of the job as it is at first, and after every change. */
  onChange?: (job: Job) => void;
};

/** Below the minute after which many proxies cut a silent connection. */
const heldSeconds = 50;

/** Long polls until the job has ended. Each answer names its revision, so nothing is missed between two of them. */
export async function waitForEnd(
  transport: Transport,
  id: string,
  { signal, onChange }: WaitOptions,
): Promise<Job> {
  let etag: string | undefined;
  for (;;) {
    const wait = etag === undefined ? 0 : heldSeconds;
    const { body, status, headers } = await transport.json<GetJobData, Job>('GET', '/v1/jobs/{id}', {
      path: { id },
      headers: { prefer: `wait=${wait}`, 'if-none-match': etag },
      heldSeconds: wait,
      signal,
    });
    if (status !== 304) {
      etag = headers.get('etag') ?? undefined;
      onChange?.(body);
      if (isTerminal(body.status)) return body;
    }
    // Something between may not know of long polls: it must not be asked without pause.
    if (!headers.has('preference-applied')) await sleep(1_000, signal);
  }
}
