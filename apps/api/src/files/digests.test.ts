import { expect, test } from '@jest/globals';
import { announcedSha256, toDigest } from './digests.ts';

const hex = '2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824';
const digest = 'sha-256=:LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ=:';

test('a digest is read as it is written', () => {
  expect(toDigest(hex)).toBe(digest);
  expect(announcedSha256(digest, 'Content-Digest')).toBe(hex);
  expect(announcedSha256(`sha-512=:AAAA:, ${digest}`, 'Content-Digest')).toBe(hex);
});

test('other algorithms are not checked', () => {
  expect(announcedSha256('sha-512=:AAAA:', 'Content-Digest')).toBeUndefined();
  expect(announcedSha256(undefined, 'Content-Digest')).toBeUndefined();
});

test.each(['sha-256=abc', 'sha-256=:AAAA:', `sha-256=${hex}`])('%s cannot be read', (header) => {
  expect(() => announcedSha256(header, 'Content-Digest')).toThrow(
    expect.objectContaining({ code: 'malformed-request' }),
  );
});
