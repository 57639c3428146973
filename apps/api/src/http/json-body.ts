import { type ErrorDetail, PerdureError } from '@perdure/job/errors';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { Readable } from 'node:stream';

/** A deeper body is refused before it is parsed. */
export const maxDepth = 32;
/** A body that is too large is still read so far, and thrown away, so that the client lives to see the answer. */
const maxDrainedBytes = 8 * 1024 ** 2;
const bodyTimeoutMs = 30_000;

const [quote, backslash, openBrace, openBracket, closeBrace, closeBracket] = [...'"\\{[}]'].map((one) =>
  one.charCodeAt(0),
);

/**
 * The one parser of bodies. A route with `raw` in its config gets the stream; all others take JSON. A body that
 * cannot be read becomes a PerdureError in the place of the body, which the guard throws once it knows the caller.
 */
export function parseBodies(fastify: FastifyInstance, limitBytes: number): void {
  fastify.removeAllContentTypeParsers();
  const parseSafely = fastify.getDefaultJsonParser('error', 'error');
  fastify.addContentTypeParser('*', (request: FastifyRequest, payload: Readable, done) => {
    const { config } = request.routeOptions;
    if (request.is404) return done(null, undefined);
    if ('raw' in config && config.raw === true) return done(null, payload);
    readJson(request, payload, limitBytes)
      .then((text) =>
        text === '' ? undefined : parse(text, (body, parsed) => parseSafely(request, body, parsed)),
      )
      .catch((error: unknown) => (error instanceof PerdureError ? error : broken(error)))
      .then((body) => done(null, body), done);
  });
}

async function readJson(request: FastifyRequest, payload: Readable, limitBytes: number): Promise<string> {
  const { 'content-type': type, 'content-encoding': encoding, 'content-length': length } = request.headers;
  const tooLarge = (): PerdureError => {
    drain(payload);
    return new PerdureError(
      'payload-too-large',
      `The body is larger than ${limitBytes} bytes. Large data travels as a file: POST /v1/files`,
    );
  };
  if (Number(length) > limitBytes) throw tooLarge();
  if (encoding !== undefined && encoding !== 'identity') {
    drain(payload);
    throw new PerdureError(
      'unsupported-media-type',
      'Content-Encoding is not supported: send the body as it is',
    );
  }
  if (length !== '0' && !isJson(type)) {
    drain(payload);
    throw new PerdureError('unsupported-media-type', 'The body must be application/json (in UTF-8)');
  }
  const chunks: Buffer[] = [];
  let [size, depth] = [0, startOfDepth()];
  const timer = setTimeout(() => payload.destroy(), bodyTimeoutMs);
  try {
    for await (const chunk of payload.iterator({ destroyOnReturn: false })) {
      size += chunk.length;
      if (size > limitBytes) throw tooLarge();
      depth = scanDepth(chunk, depth);
      if (depth.deepest > maxDepth) {
        drain(payload);
        throw new PerdureError('malformed-request', `The body is nested more than ${maxDepth} levels deep`);
      }
      chunks.push(chunk);
    }
  } finally {
    clearTimeout(timer);
  }
  return new TextDecoder('utf-8', { fatal: true }).decode(Buffer.concat(chunks, size));
}

function isJson(type: string | undefined): boolean {
  const [mediaType, ...parameters] = (type ?? '').split(';').map((part) => part.trim().toLowerCase());
  return (
    mediaType === 'application/json' &&
    parameters.every((one) => !one.startsWith('charset=') || /^charset="?utf-8"?$/.test(one))
  );
}

/** Throws the rest of a body away, up to a bound. */
export function drain(payload: Readable): void {
  let drained = 0;
  payload.on('error', () => {});
  payload.on('data', (chunk: Buffer) => {
    drained += chunk.length;
    if (drained > maxDrainedBytes) payload.destroy();
  });
  payload.resume();
}

type Depth = { now: number; deepest: number; inText: boolean; escaped: boolean };

function startOfDepth(): Depth {
  return { now: 0, deepest: 0, inText: false, escaped: false };
}

function scanDepth(chunk: Buffer, before: Depth): Depth {
  let { now, deepest, inText, escaped } = before;
  for (const byte of chunk) {
    if (inText) {
      if (escaped) escaped = false;
      else if (byte === backslash) escaped = true;
      else if (byte === quote) inText = false;
    } else if (byte === quote) inText = true;
    else if (byte === openBrace || byte === openBracket) deepest = Math.max(deepest, ++now);
    else if (byte === closeBrace || byte === closeBracket) now--;
  }
  return { now, deepest, inText, escaped };
}

type Parse = (text: string, done: (error: Error | null, body?: unknown) => void) => void;

/** Parses without letting `__proto__` through, and refuses what PostgreSQL or JSON could not give back. */
async function parse(text: string, parseSafely: Parse): Promise<unknown> {
  const body = await new Promise<unknown>((resolve, reject) => {
    parseSafely(text, (error, parsed) => (error ? reject(error) : resolve(parsed)));
  });
  const details: ErrorDetail[] = [];
  findUnstorable(body, '', details);
  if (details.length > 0)
    throw new PerdureError('invalid-request', 'The body has values that cannot be stored', { details });
  return body;
}

function findUnstorable(value: unknown, pointer: string, found: ErrorDetail[]): void {
  if (typeof value === 'string') {
    if (!isStorable(value)) found.push({ pointer, detail: 'has a NUL or half a surrogate pair' });
  } else if (typeof value === 'number') {
    if (!Number.isFinite(value)) found.push({ pointer, detail: 'is a number beyond what can be stored' });
  } else if (typeof value === 'object' && value !== null) {
    for (const [key, inner] of Object.entries(value)) {
      const place = `${pointer}/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`;
      if (isStorable(key)) findUnstorable(inner, place, found);
      else
        found.push({
          pointer: place.toWellFormed(),
          detail: 'has a name with a NUL or half a surrogate pair',
        });
    }
  }
}

/** PostgreSQL stores neither NUL nor half a surrogate pair. */
export function isStorable(text: string): boolean {
  return !text.includes('\u0000') && text.isWellFormed();
}

function broken(cause: unknown): PerdureError {
  const why = cause instanceof Error ? `: ${cause.message}` : '';
  return new PerdureError('malformed-request', `The body is not JSON in UTF-8${why}`, { cause });
}
