import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';

/** What a request was, and what the API answered: the variants change either. */
export type Asked = { method: string; path: string; headers: Record<string, string>; body: string };
export type Answered = { status: number; headers: Record<string, string>; body: string };

export type Behind = { api: string; key: string };

/** A server with one rule broken. */
export type Break = {
  ask?(asked: Asked): void;
  /** `api` and `key`: the API behind it, and a key, for what else it is to be asked. */
  answer?(answered: Answered, asked: Asked, behind: Behind): void | Promise<void>;
  /** Answers itself. */
  instead?(asked: Asked): Answered | undefined;
};

/** Forwards everything to the API, and breaks what `set` has said last. Streams without end are passed on as they come. */
export async function startBreakingProxy(behind: Behind) {
  let breaks: Break = {};
  const { hostname, port } = new URL(behind.api);
  const server = createServer((incoming, outgoing) => {
    void pass(incoming, outgoing).catch((error: unknown) => outgoing.destroy(error as Error));
  });

  async function pass(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    const asked: Asked = {
      method: incoming.method ?? 'GET',
      path: incoming.url ?? '/',
      headers: { ...incoming.headers } as Record<string, string>,
      body: '',
    };
    const announced = Number(asked.headers['content-length'] ?? 0) > 1_000_000;
    if (!announced) asked.body = await collect(incoming);
    breaks.ask?.(asked);
    const own = breaks.instead?.(asked);
    if (own) return end(outgoing, own);
    if (!announced) asked.headers['content-length'] = String(Buffer.byteLength(asked.body));
    const { method, path, headers } = asked;
    const upstream = request({ hostname, port, method, path, headers });
    outgoing.on('close', () => upstream.destroy());
    upstream.on('error', (error) => outgoing.destroy(error));
    if (announced) upstream.flushHeaders();
    else upstream.end(asked.body);
    const [response] = (await once(upstream, 'response')) as [IncomingMessage];
    const status = response.statusCode ?? 0;
    if (path.startsWith('/v1/events')) {
      outgoing.writeHead(status, response.headers);
      response.pipe(outgoing);
      return;
    }
    const answered = {
      status,
      headers: { ...response.headers } as Record<string, string>,
      body: await collect(response),
    };
    await breaks.answer?.(answered, asked, behind);
    end(outgoing, answered);
  }

  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    set: (next: Break) => void (breaks = next),
    stop(): void {
      server.close();
      server.closeAllConnections();
    },
  };
}

function end(outgoing: ServerResponse, { status, headers, body }: Answered): void {
  const { 'transfer-encoding': _, connection: __, ...rest } = headers;
  const length = body === '' ? rest['content-length'] : String(Buffer.byteLength(body));
  delete rest['content-length'];
  outgoing.writeHead(status, { ...rest, ...(length === undefined ? {} : { 'content-length': length }) });
  outgoing.end(body);
}

async function collect(stream: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}
