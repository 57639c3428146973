import type { FastifyReply } from 'fastify';

/** Aborts when the client is gone before it has its answer. */
export function whenClosed(reply: FastifyReply): AbortSignal {
  const gone = new AbortController();
  if (reply.raw.destroyed) gone.abort();
  else reply.raw.once('close', () => gone.abort());
  return gone.signal;
}
