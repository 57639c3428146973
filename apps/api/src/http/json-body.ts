import { PerdureError } from '@perdure/job/errors';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { Readable } from 'node:stream';
import { JsonShape } from './json-shape.ts';
import { unstorableIn } from './storable.ts';

/** A body that is deeper or has more keys is refused before it is parsed. */
const maxDepth = 32;
const maxKeys = 100_000;
/** A body that is too large is still read so far, and thrown away, so that the client lives to see the answer. */
export const maxDrainedBytes = 8 * 1024 ** 2;
const bodyTimeoutMs = 30_000;

/**
 * The one parser of bodies. A route with `raw` in its config gets the stream; all others take JSON. A body that
 * cannot be read becomes a PerdureError in the place of the body, which the guard throws once it knows the caller.
 */
export function parseBodies(fastify: FastifyInstance, limitBytes: number): void {
  fastify.removeAllContentTypeParsers();
  const parseSafely = fastify.getDefaultJsonParser('error', 'error');

  /** Parses without letting `__proto__` through. */
  const parse = (request: FastifyRequest, text: string): Promise<unknown> =>
    new Promise((resolve, reject) => {
      void parseSafely(request, text, (error, body) => (error ? reject(error) : resolve(body)));
    });

  const read = async (request: FastifyRequest, payload: Readable): Promise<unknown> => {
    try {
      const text = await readJson(request, payload, limitBytes);
      return text === '' ? undefined : storable(await parse(request, text));
    } catch (error) {
      return error instanceof PerdureError ? error : broken(error);
    }
  };

  fastify.addContentTypeParser('*', (request: FastifyRequest, payload: Readable, done) => {
    const { config } = request.routeOptions;
    if (request.is404) done(null, undefined);
    else if ('raw' in config && config.raw === true) done(null, payload);
    else void read(request, payload).then((body) => done(null, body), done);
  });
}

async function readJson(request: FastifyRequest, payload: Readable, limitBytes: number): Promise<string> {
  try {
    refuseUnread(request, limitBytes);
    return new TextDecoder('utf-8', { fatal: true }).decode(await collect(payload, limitBytes));
  } catch (error) {
    drain(payload);
    throw error;
  }
}

/** What the headers alone give away. */
function refuseUnread({ headers }: FastifyRequest, limitBytes: number): void {
  const { 'content-type': type, 'content-encoding': encoding, 'content-length': length } = headers;
  if (Number(length) > limitBytes) throw tooLarge(limitBytes);
  if (encoding !== undefined && encoding !== 'identity') {
    throw new PerdureError(
      'unsupported-media-type',
      'Content-Encoding is not supported: send the body as it is',
    );
  }
  if (length !== '0' && !isJson(type)) {
    throw new PerdureError('unsupported-media-type', 'The body must be application/json (in UTF-8)');
  }
}

function isJson(type: string | undefined): boolean {
  const [mediaType, ...parameters] = (type ?? '').split(';').map((part) => part.trim().toLowerCase());
  const utf8 = parameters.every((one) => !one.startsWith('charset=') || /^charset="?utf-8"?$/.test(one));
  return mediaType === 'application/json' && utf8;
}

async function collect(payload: Readable, limitBytes: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  const shape = new JsonShape();
  const timer = setTimeout(() => payload.destroy(), bodyTimeoutMs);
  let size = 0;
  try {
    const bytes: AsyncIterable<Buffer> = payload.iterator({ destroyOnReturn: false });
    for await (const chunk of bytes) {
      size += chunk.length;
      if (size > limitBytes) throw tooLarge(limitBytes);
      shape.scan(chunk);
      if (shape.keys > maxKeys) {
        throw new PerdureError('malformed-request', `The body has more than ${maxKeys} keys`);
      }
      if (shape.deepest > maxDepth) {
        throw new PerdureError('malformed-request', `The body is nested more than ${maxDepth} levels deep`);
      }
      chunks.push(chunk);
    }
  } finally {
    clearTimeout(timer);
  }
  return Buffer.concat(chunks, size);
}

function tooLarge(limitBytes: number): PerdureError {
  const remedy = 'Large data travels as a file: POST /v1/files';
  return new PerdureError('payload-too-large', `The body is larger than ${limitBytes} bytes. ${remedy}`);
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

function storable(body: unknown): unknown {
  const details = unstorableIn(body);
  if (details.length === 0) return body;
  throw new PerdureError('invalid-request', 'The body has values that cannot be stored', { details });
}

function broken(cause: unknown): PerdureError {
  // Where, and not what: the message of the parser repeats what stands there, which may be a secret.
  const [where = ''] = / at position \d+/.exec(cause instanceof Error ? cause.message : '') ?? [];
  return new PerdureError('malformed-request', `The body is not JSON in UTF-8${where && `, wrong${where}`}`, {
    cause,
  });
}
