import type { LogLine } from '@perdure/job/schemas';

export const ndjson = 'application/x-ndjson';
export const plainText = 'text/plain';

/** How lines are written one after the other. */
export const formats: Record<typeof ndjson | typeof plainText, (lines: readonly LogLine[]) => string> = {
  [ndjson]: (lines) => lines.map((line) => `${JSON.stringify(line)}\n`).join(''),
  [plainText]: (lines) =>
    lines.map(({ at, stream, level, text }) => `${at} ${stream} ${level} ${oneLine(text)}\n`).join(''),
};

/** Agents that speak HTTP may say texts with breaks in them, which must not look like lines of others. */
const oneLine = (text: string): string => text.replace(/\r\n|[\r\n]/g, ' ');

/** As bytes: to a text Fastify would add a charset of its own. */
export async function* written(
  lines: AsyncIterable<LogLine[]>,
  type: keyof typeof formats,
): AsyncGenerator<Buffer> {
  // The headers go with it: a follower knows that it is heard before there is a line.
  yield Buffer.alloc(0);
  for await (const some of lines) yield Buffer.from(formats[type](some));
}
