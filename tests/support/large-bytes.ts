import { createHash, randomBytes } from 'node:crypto';

export const MiB = 1024 ** 2;

/** Bytes of any length without holding them: a block of random bytes again and again, each time with its number in front. */
export function largeBytes() {
  const block = randomBytes(MiB);
  const numbered = (at: number): Buffer => {
    const copy = Buffer.from(block);
    copy.writeUInt32BE(at);
    return copy;
  };
  /** From `from` to before `to`. */
  function* range(from: number, to: number): Generator<Buffer> {
    for (let at = Math.floor(from / MiB); at * MiB < to; at++) {
      const start = Math.max(0, from - at * MiB);
      yield numbered(at).subarray(start, Math.min(MiB, to - at * MiB));
    }
  }
  return {
    stream: (from: number, to: number) => ReadableStream.from(range(from, to)),
    sha256(size: number): string {
      const hash = createHash('sha256');
      for (const chunk of range(0, size)) hash.update(chunk);
      return hash.digest('hex');
    },
  };
}

export async function digestOf(answer: Response): Promise<{ size: number; sha256: string }> {
  const hash = createHash('sha256');
  let size = 0;
  for await (const chunk of answer.body ?? []) {
    size += chunk.byteLength;
    hash.update(chunk);
  }
  return { size, sha256: hash.digest('hex') };
}
