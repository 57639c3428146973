import { ByteStream } from './byte-stream.ts';
import { Exchange } from './exchange.ts';
import { PerdureUnreachable } from './problem.ts';
import { retrying } from './retry.ts';
import { TextStream } from './text-stream.ts';

export type PerdureOptions = {
  /** Where the API is, such as `https://perdure.example`. */
  url: string;
  /** An API key: `pk_…`. */
  token: string;
  /** Used instead of the global `fetch`. */
  fetch?: typeof globalThis.fetch;
  /** How often a request that is safe to repeat is tried again, at growing intervals of up to ten seconds; 10 without it. */
  retries?: number;
};

/** An operation as the generated types describe it. */
export type Operation = { url: string; path?: unknown; query?: unknown; body?: unknown };

/** What every call takes. It throws the reason of a signal that is aborted. */
export type Signal = { signal?: AbortSignal };

type Method = 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

type Value = string | number | boolean | undefined;

export type Call<O extends Operation> = {
  path?: O['path'];
  query?: O['query'];
  /** Sent as JSON. */
  body?: O['body'];
  /** Sent as they are. */
  bytes?: RequestInit['body'];
  headers?: Record<string, string | undefined>;
  signal?: AbortSignal;
  /** A repeat does no harm, though this is no GET. */
  repeatable?: boolean;
  /** How long the answer may be held back on purpose. */
  heldSeconds?: number;
};

export type Answer<T> = { status: number; headers: Headers; body: T };

/** How long nothing may come, in milliseconds. */
const patienceMs = 30_000;
/** Streams tell every 15 s that they live; those of logs do not, and are opened anew. */
const streamPatienceMs = 60_000;

/** Asks the API: adds the token, tries again what is safe to repeat, turns problems into errors. */
export class Transport {
  readonly base: string;
  private readonly authorization: Record<string, string>;
  private readonly fetch: typeof globalThis.fetch;
  readonly retries: number;

  /** Throws a TypeError where the URL or the token cannot be used. */
  constructor({ url, token, fetch = globalThis.fetch, retries = 10 }: PerdureOptions) {
    this.base = new URL(url).href.replace(/\/+$/, '');
    this.authorization = { authorization: `Bearer ${token}` };
    new Headers(this.authorization);
    this.fetch = fetch;
    this.retries = retries;
  }

  /** The whole answer, its body read as JSON where there is one. */
  json<O extends Operation, T>(method: Method, url: O['url'], call: Call<O> = {}): Promise<Answer<T>> {
    return this.ask(method, url, call, patienceMs, async (response, exchange) => {
      const text = await exchange.patiently(() => response.text());
      const { status, headers } = response;
      return { status, headers, body: (text === '' ? undefined : parse(text, response)) as T };
    });
  }

  /** The body of the whole answer. */
  async body<O extends Operation, T>(method: Method, url: O['url'], call: Call<O> = {}): Promise<T> {
    return (await this.json<O, T>(method, url, call)).body;
  }

  /** The answer as soon as its head is here; its body comes as it is asked for, over any time. */
  bytes<O extends Operation>(url: O['url'], call: Call<O>): Promise<ByteStream> {
    return this.ask(
      'GET',
      url,
      call,
      patienceMs,
      async (response, exchange) => new ByteStream(response, exchange),
    );
  }

  /** A stream of text, or undefined where there is nothing to tell (204). */
  stream<O extends Operation>(url: O['url'], call: Call<O>): Promise<TextStream | undefined> {
    return this.ask('GET', url, call, streamPatienceMs, async (response, exchange) =>
      response.status === 204 ? undefined : TextStream.open(response, exchange),
    );
  }

  private ask<O extends Operation, T>(
    method: Method,
    url: O['url'],
    call: Call<O>,
    silenceMs: number,
    receive: (response: Response, exchange: Exchange) => Promise<T>,
  ): Promise<T> {
    const { signal } = call;
    const [target, init] = [this.target(url, call), this.init(method, call)];
    const retries = method === 'GET' || call.repeatable === true ? this.retries : 0;
    return retrying(
      async () => {
        const exchange = new Exchange(signal, silenceMs + (call.heldSeconds ?? 0) * 1_000);
        return receive(await exchange.open(this.fetch, target, init), exchange);
      },
      { retries, signal },
    );
  }

  private target(url: string, { path, query }: { path?: unknown; query?: unknown }): string {
    const values = (path ?? {}) as Record<string, string>;
    const filled = url.replaceAll(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(values[name] ?? ''));
    const search = new URLSearchParams();
    for (const [name, value] of Object.entries((query ?? {}) as Record<string, Value | Value[]>)) {
      for (const one of [value].flat()) if (one !== undefined) search.append(name, String(one));
    }
    return `${this.base}${filled}${search.size > 0 ? `?${search.toString()}` : ''}`;
  }

  private init<O extends Operation>(method: Method, { headers = {}, body, bytes }: Call<O>): RequestInit {
    const all = new Headers(this.authorization);
    for (const [name, value] of Object.entries(headers)) if (value !== undefined) all.set(name, value);
    if (body !== undefined) all.set('content-type', 'application/json');
    // Bytes that stream can be sent half-duplex only; the types of browsers do not know the word yet.
    const streaming = bytes instanceof ReadableStream ? { duplex: 'half' as const } : {};
    return { method, headers: all, body: body === undefined ? bytes : JSON.stringify(body), ...streaming };
  }
}

function parse(text: string, { url, status }: Response): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new PerdureUnreachable(`${url} answered something that is no JSON`, { status, cause });
  }
}
