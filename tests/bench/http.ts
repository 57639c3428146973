import { Agent, type IncomingMessage, request } from 'node:http';

export type Answer = { status: number; body: unknown };

/** A client that costs little, keeps its connections, and speaks to one API. */
export type Http = {
  get(path: string, headers?: Record<string, string>): Promise<Answer>;
  post(path: string, body: object, headers?: Record<string, string>): Promise<Answer>;
  close(): void;
};

export function openHttp(origin: string, key: string, maxSockets = 128): Http {
  const agent = new Agent({ keepAlive: true, maxSockets });
  function ask(
    method: string,
    path: string,
    body: string | undefined,
    headers: Record<string, string>,
  ): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const sent = request(
        new URL(path, origin),
        { method, agent, timeout: 70_000, headers: { authorization: `Bearer ${key}`, ...headers } },
        (response) => {
          const chunks: Buffer[] = [];
          response.on('data', (chunk: Buffer) => chunks.push(chunk));
          response.on('error', reject);
          response.on('end', () => {
            const status = response.statusCode ?? 0;
            const text = Buffer.concat(chunks).toString();
            if (status >= 400) reject(new Error(`${method} ${path}: ${status} ${text.slice(0, 300)}`));
            else resolve({ status, body: isJson(response) ? JSON.parse(text) : text });
          });
        },
      );
      sent.on('error', reject);
      sent.on('timeout', () => sent.destroy(new Error(`${method} ${path}: no answer`)));
      sent.end(body);
    });
  }
  return {
    get: (path, headers = {}) => ask('GET', path, undefined, headers),
    post(path, body, headers = {}) {
      const json = JSON.stringify(body);
      return ask('POST', path, json, {
        'content-type': 'application/json',
        'content-length': String(Buffer.byteLength(json)),
        ...headers,
      });
    },
    close: () => agent.destroy(),
  };
}

function isJson({ headers }: IncomingMessage): boolean {
  return headers['content-type']?.startsWith('application/json') === true;
}
