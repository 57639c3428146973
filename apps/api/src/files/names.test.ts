import { expect, test } from '@jest/globals';
import { attachment, uploadName } from './names.ts';

test.each([
  ['a.csv', undefined, 'a.csv'],
  ['größe 100%.csv', 'attachment; filename="other"', 'größe 100%.csv'],
  [undefined, 'attachment; filename="a b.csv"', 'a b.csv'],
  [undefined, 'attachment; filename=a.csv', 'a.csv'],
  [undefined, 'attachment; filename="say \\"hi\\".txt"', 'say "hi".txt'],
  [undefined, "attachment; filename=x; filename*=UTF-8''gr%C3%B6%C3%9Fe.csv", 'größe.csv'],
  [undefined, 'inline', 'file'],
  [undefined, undefined, 'file'],
])('name=%s and Content-Disposition: %s make the file %s', (asked, disposition, name) => {
  expect(uploadName(asked, disposition)).toBe(name);
});

test.each([
  '../a',
  '..\\a',
  '/etc/passwd',
  '..',
  '.',
  '',
  'a\u0000b',
  'a\r\nb',
  'half \ud800',
  'x'.repeat(256),
])('the name %j is refused', (name) => {
  expect(() => uploadName(name, undefined)).toThrow(expect.objectContaining({ code: 'invalid-request' }));
});

test.each([
  ['a.csv', `attachment; filename="a.csv"; filename*=UTF-8''a.csv`],
  ['größe.csv', `attachment; filename="gro__e.csv"; filename*=UTF-8''gr%C3%B6%C3%9Fe.csv`],
  ['a"b;c.csv', `attachment; filename="a_b;c.csv"; filename*=UTF-8''a%22b%3Bc.csv`],
  ["it's (1)*.csv", `attachment; filename="it's (1)*.csv"; filename*=UTF-8''it%27s%20%281%29%2A.csv`],
])('%s is offered as %s', (name, header) => {
  expect(attachment(name)).toBe(header);
});
