import { PerdureError } from '@perdure/job/errors';
import type { JobSummary, StreamedEvent } from '@perdure/job/schemas';
import type { Place } from '@perdure/store/read';

/*
 * Server-sent events (the HTML standard, 9.2). JSON has no line end of its own, so each message has one line of data.
 */

/** Keeps proxies from closing a silent connection. */
export const keepAlive = ': keep-alive\n\n';

/** A fact of the history. */
export function historyMessage(id: string, event: StreamedEvent): string {
  return `id: ${id}\nevent: history\ndata: ${JSON.stringify(event)}\n\n`;
}

/** A job as it is now, where more than its history has changed. */
export function jobMessage(job: JobSummary): string {
  return `id: ${job.revision}\nevent: job\ndata: ${JSON.stringify(job)}\n\n`;
}

/** Comes first, as the headers come with it: a client knows that it is heard before anything has happened. Names a place to resume from. */
export function beginning(id: string | undefined): string {
  return `retry: 1000\n${id === undefined ? '' : `id: ${id}\n`}\n`;
}

export function idOf({ written, seq, jobId }: Place): string {
  return `${written}-${seq}-${jobId}`;
}

/** The place that a `Last-Event-ID` of a tenant's stream names. Throws 'invalid-request'. */
export function placeIn(id: string): Place {
  const [, written, seq, jobId] = /^(\d{1,19})-(\d{1,9})-([\w.-]{0,128})$/.exec(id) ?? [];
  if (written === undefined || seq === undefined || jobId === undefined) throw badId();
  return { written, seq: Number(seq), jobId };
}

/** The revision that a `Last-Event-ID` of a job's stream names. Throws 'invalid-request'. */
export function revisionIn(id: string): number {
  if (!/^\d{1,9}$/.test(id)) throw badId();
  return Number(id);
}

export function badId(): PerdureError {
  const detail = 'is no id of this stream. Leave it out to begin anew';
  return new PerdureError('invalid-request', `Last-Event-ID ${detail}`, {
    details: [{ pointer: 'header/Last-Event-ID', detail }],
  });
}
