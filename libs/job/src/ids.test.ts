import { expect, test } from '@jest/globals';
import { compareVersions, isJobId } from './ids.ts';

test('versions sort newest first, a release before its pre-releases', () => {
  const sorted = ['2.0.0', '2.0.0-rc.10', '2.0.0-rc.2', '2.0.0-rc', '2.0.0-1', '1.10.0', '1.9.3', '0.0.1'];
  expect([...sorted].reverse().sort(compareVersions)).toEqual(sorted);
});

test.each(['a', 'order-4711', '01a201df-334d-76ce-8949-7e0222517a9e', 'A.b_c'])(
  '%s may be the id of a job',
  (id) => {
    expect(isJobId(id)).toBe(true);
  },
);

test.each(['', '-a', 'a b', 'a/b', 'ä', 'a\u0000', 'x'.repeat(129)])('%j may not', (id) => {
  expect(isJobId(id)).toBe(false);
});
