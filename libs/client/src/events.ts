import { createParser, type EventSourceMessage } from 'eventsource-parser';
import type { JobSummary, StreamedEvent, StreamJobEventsData } from './generated.ts';
import { PerdureUnreachable } from './problem.ts';
import { sleep } from './retry.ts';
import { isTerminal } from './status.ts';
import type { Transport } from './transport.ts';

/** `id` resumes the stream after this message: give it as `lastEventId`. */
export type JobMessage = { id: string } & (
  | { type: 'history'; event: StreamedEvent }
  /** Something else has changed, such as the progress. */
  | { type: 'job'; job: JobSummary }
);

export type EventsOptions = { lastEventId?: string; signal?: AbortSignal };

/** The messages of a job's stream (the HTML standard, 9.2), each once, until its terminal event. */
export async function* readEvents(
  transport: Transport,
  id: string,
  { lastEventId, signal }: EventsOptions,
): AsyncGenerator<JobMessage, void> {
  let last = lastEventId;
  for (;;) {
    const stream = await transport.stream<StreamJobEventsData>('/v1/jobs/{id}/events', {
      path: { id },
      headers: { accept: 'text/event-stream', 'last-event-id': last },
      signal,
    });
    if (stream === undefined) return;
    try {
      const came: EventSourceMessage[] = [];
      const parser = createParser({ onEvent: (message) => came.push(message) });
      for (let text = await stream.next(); text !== undefined; text = await stream.next()) {
        parser.feed(text);
        for (const message of came.splice(0)) {
          const told = understood(message);
          if (told === undefined) continue;
          last = told.id;
          yield told;
          if (told.type === 'history' && isTerminal(told.event.status)) return;
        }
      }
    } catch (error) {
      if (!(error instanceof PerdureUnreachable)) throw error;
    } finally {
      stream.close();
    }
    await sleep(Math.random() * 500, signal);
  }
}

/** Undefined: of a kind that this client does not know yet. */
function understood({ id, event, data }: EventSourceMessage): JobMessage | undefined {
  if (id === undefined) return undefined;
  if (event === 'history') return { id, type: 'history', event: JSON.parse(data) as StreamedEvent };
  if (event === 'job') return { id, type: 'job', job: JSON.parse(data) as JobSummary };
  return undefined;
}
