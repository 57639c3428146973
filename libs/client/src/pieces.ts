/** So large is a piece: as much as the API stores at once. */
export const pieceBytes = 8 * 1024 ** 2;

/** Bytes that can be sent piece by piece, and a piece again from anywhere in it. */
export type Pieces = { size: number; from(offset: number): Promise<Blob> };

export function piecesOf(blob: Blob): Pieces {
  return { size: blob.size, from: (offset) => Promise.resolve(blob.slice(offset, offset + pieceBytes)) };
}

/** Holds one piece in memory: a stream cannot be read twice. */
export function piecesOfStream(stream: ReadableStream<Uint8Array>, size: number): Pieces {
  const reader = stream.getReader();
  let [held, start] = [new Blob([]), 0];
  let rest: Uint8Array<ArrayBuffer> | undefined;

  async function read(): Promise<Blob> {
    const chunks: Uint8Array<ArrayBuffer>[] = [];
    for (let length = 0; length < pieceBytes;) {
      const chunk = rest ?? ((await reader.read()).value as Uint8Array<ArrayBuffer> | undefined);
      if (chunk === undefined) break;
      const fits = chunk.subarray(0, pieceBytes - length);
      rest = fits.length < chunk.length ? chunk.subarray(fits.length) : undefined;
      chunks.push(fits);
      length += fits.length;
    }
    return new Blob(chunks);
  }

  return {
    size,
    async from(offset) {
      while (offset >= start + held.size && start + held.size < size) {
        start += held.size;
        held = await read();
        const [end, over] = [start + held.size, rest !== undefined];
        if (held.size === 0 || end > size || (end === size && over)) {
          throw new TypeError(`The stream has ${over || end > size ? 'more' : 'fewer'} than ${size} bytes`);
        }
      }
      if (offset < start)
        throw new TypeError('The API asks for bytes of the stream that it has taken before');
      return held.slice(offset - start);
    },
  };
}
