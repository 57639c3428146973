import { type Answer, clipped, type Client, type Json } from './client.ts';
import { Broken } from './outcome.ts';

export type Message = { id: string; event: string; data: Json };

/** How long it may take until what is waited for has come. */
const patienceMs = 20_000;

/** The messages of a stream of server-sent events (the HTML standard, 9.2). What does not parse has no data. */
export function messagesIn(text: string): Message[] {
  return blocksIn(text)
    .filter((block) => block.has('data'))
    .map((block) => ({
      id: block.get('id') ?? '',
      event: block.get('event') ?? 'message',
      data: json(block.get('data')),
    }));
}

type Heard = { messages: Message[]; lastEventId: string | undefined };

/** Reads the stream of all jobs until `enough`. */
export async function whatComes(
  { open }: Client,
  headers: Record<string, string>,
  enough: (heard: Heard) => Promise<boolean>,
): Promise<Heard & { answer: Answer }> {
  const closing = new AbortController();
  const timer = setTimeout(() => closing.abort(), patienceMs);
  const curl = `curl -sN -H "Authorization: Bearer $PERDURE_KEY" "$PERDURE_URL/v1/events"`;
  let [text, status] = ['', 0];
  try {
    const response = await open('/v1/events', { headers }, closing.signal);
    status = response.status;
    const decoder = new TextDecoder();
    for await (const chunk of response.body ?? []) {
      text += decoder.decode(chunk as Uint8Array, { stream: true });
      const whole = text.slice(0, text.lastIndexOf('\n\n') + 2);
      const lastEventId = blocksIn(whole)
        .findLast((block) => block.has('id'))
        ?.get('id');
      const heard = { messages: messagesIn(whole), lastEventId };
      if (!(await enough(heard))) continue;
      return { ...heard, answer: { status, headers: response.headers, text, body: undefined, curl } };
    }
  } catch (error) {
    if (error instanceof Broken || !closing.signal.aborted) throw error;
  } finally {
    clearTimeout(timer);
    closing.abort();
  }
  throw new Broken('a stream that tells what happens', `${status}, ${clipped(text, 300)}`, curl);
}

function blocksIn(text: string): Map<string, string>[] {
  return text.split('\n\n').map(
    (block) =>
      new Map(
        block.split('\n').map((line) => {
          const colon = line.indexOf(':');
          return [line.slice(0, colon), line.slice(colon + 1).trimStart()];
        }),
      ),
  );
}

function json(text: string | undefined): Json {
  try {
    return JSON.parse(text ?? '');
  } catch {
    return {};
  }
}
