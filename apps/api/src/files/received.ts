import { PerdureError } from '@perdure/job/errors';
import type { Readable } from 'node:stream';

/** An upload from which nothing comes for so long is given up. */
const idleMs = 60_000;

/** The bytes as they come; a connection that breaks or falls silent ends the upload. */
export async function* received(bytes: Readable): AsyncGenerator<Uint8Array> {
  const giveUp = (): void => void bytes.destroy(new Error(`nothing came for ${idleMs / 1_000} seconds`));
  // A server that ends does not wait for it.
  const limit = (): NodeJS.Timeout => setTimeout(giveUp, idleMs).unref();
  let timer = limit();
  try {
    for await (const chunk of bytes.iterator({ destroyOnReturn: false })) {
      clearTimeout(timer);
      yield chunk;
      timer = limit();
    }
  } catch (cause) {
    throw new PerdureError('upload-incomplete', 'The upload ended before all bytes had come', { cause });
  } finally {
    clearTimeout(timer);
  }
}
