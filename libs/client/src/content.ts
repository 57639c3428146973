import type { ByteStream } from './byte-stream.ts';
import type { File, GetFileContentData } from './generated.ts';
import { PerdureUnreachable } from './problem.ts';
import { sleep } from './retry.ts';
import type { Transport } from './transport.ts';

const content = '/v1/files/{id}/content';

/** The bytes of a file as they are asked for. Where the connection breaks off, they go on from there. */
export async function contentOf(
  transport: Transport,
  file: Pick<File, 'id' | 'size'>,
  signal: AbortSignal | undefined,
  opened?: ByteStream,
): Promise<ReadableStream<Uint8Array>> {
  const path = { id: file.id };
  const unwanted = new AbortController();
  const either = signal === undefined ? unwanted.signal : AbortSignal.any([signal, unwanted.signal]);
  let bytes = opened ?? (await transport.bytes<GetFileContentData>(content, { path, signal: either }));
  let at = 0;
  let failures = 0;

  async function resume(cause: PerdureUnreachable): Promise<void> {
    failures += 1;
    if (failures > transport.retries) throw cause;
    await sleep(Math.random() * 500, either);
    const headers = { range: `bytes=${at}-` };
    bytes = await transport.bytes<GetFileContentData>(content, { path, headers, signal: either });
    if (bytes.response.status === 206) return;
    bytes.close();
    throw new PerdureUnreachable(
      'Asked for the rest of a file, the API (or what is in front) sent all of it',
      {
        cause,
      },
    );
  }

  async function next(): Promise<Uint8Array> {
    for (;;) {
      try {
        const chunk = await bytes.next();
        if (chunk === undefined)
          throw new PerdureUnreachable(`The file ended after ${at} of ${file.size} bytes`);
        at += chunk.length;
        failures = 0;
        return chunk;
      } catch (error) {
        if (!(error instanceof PerdureUnreachable)) throw error;
        await resume(error);
      }
    }
  }

  return new ReadableStream(
    {
      async pull(controller) {
        if (at < file.size) controller.enqueue(await next());
        if (at < file.size) return;
        bytes.close();
        controller.close();
      },
      cancel() {
        unwanted.abort();
        bytes.close();
      },
    },
    { highWaterMark: 0 },
  );
}
