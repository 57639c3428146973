/** A message of a stream of server-sent events. `id` is the last one that the stream named. */
export type SseMessage = { id: string; event: string; data: unknown };

export type SseStream = {
  status: number;
  headers: Headers;
  /** What has come so far; grows. */
  messages: SseMessage[];
  /** Every line that was neither empty nor part of a message. */
  comments: string[];
  lastEventId: string | undefined;
  /** How soon to come again, in ms. */
  retry: string | undefined;
  /** Resolves when the server has ended the stream (true), or it broke off (false). */
  ended: Promise<boolean>;
  close(): void;
};

/** Reads a stream of server-sent events by the rules of the HTML standard. */
export async function readSse(
  url: string,
  { key, lastEventId }: { key: string; lastEventId?: string | undefined },
): Promise<SseStream> {
  const closing = new AbortController();
  const response = await fetch(url, {
    signal: closing.signal,
    headers: {
      authorization: `Bearer ${key}`,
      accept: 'text/event-stream',
      ...(lastEventId === undefined ? {} : { 'last-event-id': lastEventId }),
    },
  });
  const stream: SseStream = {
    status: response.status,
    headers: response.headers,
    messages: [],
    comments: [],
    lastEventId,
    retry: undefined,
    ended: Promise.resolve(true),
    close: () => closing.abort(),
  };
  if (response.body) stream.ended = collect(response.body, stream);
  return stream;
}

async function collect(body: ReadableStream<Uint8Array>, stream: SseStream): Promise<boolean> {
  const decoder = new TextDecoder();
  let rest = '';
  try {
    for await (const chunk of body) {
      const blocks = (rest + decoder.decode(chunk, { stream: true })).split('\n\n');
      rest = blocks.pop() ?? '';
      for (const block of blocks) take(block, stream);
    }
    return true;
  } catch {
    return false;
  }
}

function take(block: string, stream: SseStream): void {
  const fields = block.split('\n').map((line) => {
    const colon = line.indexOf(':');
    return [line.slice(0, colon), line.slice(colon + 1).trimStart()] as const;
  });
  const field = (name: string) => fields.find(([one]) => one === name)?.[1];
  stream.lastEventId = field('id') ?? stream.lastEventId;
  stream.retry = field('retry') ?? stream.retry;
  const comment = field('');
  if (comment !== undefined) stream.comments.push(comment);
  const data = field('data');
  if (data === undefined) return;
  stream.messages.push({
    id: stream.lastEventId ?? '',
    event: field('event') ?? 'message',
    data: JSON.parse(data),
  });
}
