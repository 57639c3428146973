import { createParser, type EventSourceMessage } from 'eventsource-parser';
import type { JobSummary, StreamedEvent, StreamEventsData, StreamJobEventsData } from './generated.ts';
import { PerdureUnreachable } from './problem.ts';
import { sleep } from './retry.ts';
import { isTerminal } from './status.ts';
import type { Operation, Signal, Transport } from './transport.ts';

/** An event of the history of a job. `id` resumes the stream after this message: give it as `lastEventId`. */
export type HistoryMessage = { id: string; type: 'history'; event: StreamedEvent };

export type JobMessage =
  | HistoryMessage
  /** Something else has changed, such as the progress. */
  | { id: string; type: 'job'; job: JobSummary };

export type EventsOptions = Signal & { lastEventId?: string };

export type AllEventsOptions = EventsOptions & {
  /** Told once: what happens from now on will come. The id is that of where the stream begins. */
  onOpen?: (lastEventId: string) => void;
};

/** The messages of a job's stream, until its terminal event. */
export async function* readEvents(
  transport: Transport,
  id: string,
  options: EventsOptions,
): AsyncGenerator<JobMessage, void> {
  const call = { url: '/v1/jobs/{id}/events', path: { id } } as const;
  for await (const message of messages<StreamJobEventsData>(transport, call, options)) {
    const told = understood(message);
    if (told === undefined) continue;
    yield told;
    if (told.type === 'history' && isTerminal(told.event.status)) return;
  }
}

/** The messages of all jobs of the tenant, without end. */
export async function* readAllEvents(
  transport: Transport,
  options: AllEventsOptions,
): AsyncGenerator<HistoryMessage, void> {
  for await (const message of messages<StreamEventsData>(transport, { url: '/v1/events' }, options)) {
    const told = understood(message);
    if (told?.type === 'history') yield told;
  }
}

/**
 * The messages of a stream (the HTML standard, 9.2), each once: where it breaks off, it is opened anew after the last one. It ends
 * where the API says that nothing more will come.
 */
async function* messages<O extends Operation>(
  transport: Transport,
  { url, path }: Pick<O, 'url' | 'path'>,
  { lastEventId, onOpen, signal }: AllEventsOptions,
): AsyncGenerator<EventSourceMessage, void> {
  let last = lastEventId;
  let told = false;
  for (;;) {
    const headers = { accept: 'text/event-stream', 'last-event-id': last };
    const stream = await transport.stream<O>(url, { path, headers, signal });
    if (stream === undefined) return;
    try {
      let head: string | undefined = '';
      const came: EventSourceMessage[] = [];
      const parser = createParser({ onEvent: (message) => came.push(message) });
      for (let text = await stream.next(); text !== undefined; text = await stream.next()) {
        // The parser tells no id that comes without data, as that of the beginning does.
        if (head !== undefined) head += text;
        if (head?.includes('\n\n') === true) {
          last ??= /^(?:.+\n)*id: (.+)\n/.exec(head)?.[1];
          head = undefined;
          if (!told && last !== undefined) onOpen?.(last);
          told = true;
        }
        parser.feed(text);
        for (const message of came.splice(0)) {
          last = message.id ?? last;
          yield message;
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
