/** A line without its end; `cut`: so many characters of it did not fit. */
export type Line = { text: string; cut: number };

/** The lines of a stream of text, as many at once as a chunk ends; holds no more of one than `maxLength`. */
export async function* linesOf(chunks: AsyncIterable<string>, maxLength: number): AsyncGenerator<Line[]> {
  let held = '';
  let cut = 0;
  const keep = (text: string): void => {
    const fits = text.slice(0, maxLength - held.length);
    held += fits;
    cut += text.length - fits.length;
  };
  const finish = (): Line => {
    const line = { text: cut === 0 && held.endsWith('\r') ? held.slice(0, -1) : held, cut };
    held = '';
    cut = 0;
    return line;
  };
  for await (const chunk of chunks) {
    const lines: Line[] = [];
    let from = 0;
    for (let end = chunk.indexOf('\n'); end !== -1; end = chunk.indexOf('\n', from)) {
      keep(chunk.slice(from, end));
      lines.push(finish());
      from = end + 1;
    }
    keep(chunk.slice(from));
    yield lines;
  }
  if (held !== '' || cut > 0) yield [finish()];
}
