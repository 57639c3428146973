import { expect, test } from '@jest/globals';
import { linesOf } from './lines.ts';

async function* chunksOf(chunks: string[]): AsyncGenerator<string> {
  for (const chunk of chunks) yield await Promise.resolve(chunk);
}

test.each([
  [['a\nb\n'], ['a', 'b']],
  [['a\nb'], ['a', 'b']],
  [
    ['a', 'b\nc', '\n'],
    ['ab', 'c'],
  ],
  [['\n\na\n'], ['', '', 'a']],
  [
    ['a\r\nb\r', '\n'],
    ['a', 'b'],
  ],
  [['123456789\nnext\n'], ['12345+4', 'next']],
  [['123', '456', '789'], ['12345+4']],
  [['12345\n'], ['12345']],
  [[], []],
])('%j is the lines %j', async (chunks, wanted) => {
  const lines: string[] = [];
  for await (const some of linesOf(chunksOf(chunks), 5))
    lines.push(...some.map(({ text, cut }) => (cut > 0 ? `${text}+${cut}` : text)));
  expect(lines).toEqual(wanted);
});
