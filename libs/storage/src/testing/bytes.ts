import { createHash } from 'node:crypto';

export function sha256Of(bytes: Uint8Array | string): string {
  return createHash('sha256').update(bytes).digest('hex');
}

export async function* once(text: Uint8Array | string): AsyncGenerator<Uint8Array> {
  yield Buffer.from(text);
}

/** `size` bytes in chunks of at most 64 KiB, never the same chunk twice, so that parts in the wrong order would be seen. */
export async function* generated(size: number): AsyncGenerator<Uint8Array> {
  for (let done = 0; done < size;) {
    const chunk = Buffer.alloc(Math.min(64 * 1024, size - done), `${done} `);
    done += chunk.length;
    yield chunk;
  }
}

/** Yields `bytes`, then fails as a broken connection does. */
export async function* broken(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  yield* bytes;
  throw new Error('the connection broke');
}

/** Yields `bytes`, then neither yields nor ends. */
export async function* stalled(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  yield* bytes;
  await new Promise(() => undefined);
}

export async function digestOf(bytes: AsyncIterable<Uint8Array>): Promise<{ sha256: string; size: number }> {
  const hash = createHash('sha256');
  let size = 0;
  for await (const chunk of bytes) {
    hash.update(chunk);
    size += chunk.byteLength;
  }
  return { sha256: hash.digest('hex'), size };
}

export async function textOf(bytes: AsyncIterable<Uint8Array>): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of bytes) chunks.push(chunk);
  return Buffer.concat(chunks).toString('utf8');
}
