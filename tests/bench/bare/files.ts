import Fastify from 'fastify';
import { createReadStream, createWriteStream } from 'node:fs';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';

/** What files are held against: one route that pipes a body to a disk, and back. No digest, no sync, no record. */
const [path = '', port] = process.argv.slice(2);
const app = Fastify();

app.addContentTypeParser('*', (_request, payload, done) => done(null, payload));
app.put<{ Body: Readable }>('/file', async (request) => {
  await pipeline(request.body, createWriteStream(path));
  return {};
});
app.get('/file', (_request, reply) => reply.send(createReadStream(path)));

process.on('SIGTERM', () => void app.close());
await app.listen({ port: Number(port), host: '127.0.0.1' });
