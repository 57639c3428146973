import { Broken } from './outcome.ts';

// Foreign JSON, of which each check looks at what it is about.
export type Json = any; // eslint-disable-line @typescript-eslint/no-explicit-any

export type Ask = {
  method?: string;
  headers?: Record<string, string>;
  /** Sent as JSON. */
  json?: unknown;
  /** Sent as it is. */
  raw?: string;
  /** Another key; null: none. */
  token?: string | null;
};

export type Answer = {
  status: number;
  headers: Headers;
  text: string;
  body: Json;
  /** How to ask the same with curl. */
  curl: string;
};

/** Longer than the longest that a check lets an answer be held back. */
const patienceMs = 20_000;

export type Client = ReturnType<typeof makeClient>;

/** Asks one deployment; keeps the id of every job that it was told of after a submit, so that they can be canceled. */
export function makeClient(url: string, token: string) {
  const base = url.replace(/\/+$/, '');
  const jobs = new Set<string>();

  function open(path: string, ask: Ask = {}, signal = AbortSignal.timeout(patienceMs)): Promise<Response> {
    const { headers, body, method } = prepared(ask, token);
    return fetch(`${base}${path}`, { method, headers, body: body ?? null, redirect: 'manual', signal });
  }

  async function ask(path: string, asked: Ask = {}): Promise<Answer> {
    const curl = curlOf(base, path, asked);
    try {
      const response = await open(path, asked);
      const text = await response.text();
      const body = parsed(text);
      if (
        path.startsWith('/v1/jobs') &&
        typeof body?.id === 'string' &&
        asked.method === undefined &&
        isPost(asked)
      )
        jobs.add(body.id);
      return { status: response.status, headers: response.headers, text, body, curl };
    } catch (error) {
      const { name, message, cause } = error as Error;
      const why = cause instanceof Error ? `${message}: ${cause.message}` : message;
      throw new Broken(
        'an answer',
        name === 'TimeoutError' ? `none within ${patienceMs / 1_000} s` : why,
        curl,
      );
    }
  }

  return { base, token, jobs, open, ask };
}

function isPost({ json, raw }: Ask): boolean {
  return json !== undefined || raw !== undefined;
}

function prepared(ask: Ask, ownToken: string) {
  const { json, raw, token = ownToken } = ask;
  const body = json === undefined ? raw : JSON.stringify(json);
  const headers = {
    ...(token === null ? {} : { authorization: `Bearer ${token}` }),
    ...(json === undefined ? {} : { 'content-type': 'application/json' }),
    ...ask.headers,
  };
  return { body, headers, method: ask.method ?? (body === undefined ? 'GET' : 'POST') };
}

function parsed(text: string): Json {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function curlOf(base: string, path: string, ask: Ask): string {
  const { body, headers, method } = prepared(ask, '');
  const shown = Object.entries(headers).map(([name, value]) =>
    name === 'authorization'
      ? `-H "Authorization: Bearer $PERDURE_KEY"`
      : `-H ${quoted(`${name}: ${value}`)}`,
  );
  const data = body === undefined ? [] : [`--data-raw ${quoted(clipped(body, 300))}`];
  const how = method === 'HEAD' ? ['--head'] : [`-X ${method}`];
  return ['curl -si', ...how, ...shown, ...data, quoted(`${base}${path}`)].join(' ');
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

export function clipped(text: string, length: number): string {
  return text.length > length ? `${text.slice(0, length)}…` : text;
}
