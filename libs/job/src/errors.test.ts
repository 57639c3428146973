import { expect, test } from '@jest/globals';
import { clip, errorCodes, errors, isErrorCode, jobError, PerdureError } from './errors.ts';

test('codes are kebab-case nouns with a title', () => {
  for (const code of errorCodes) {
    expect(code).toMatch(/^[a-z]+(-[a-z]+)*$/);
    expect(errors[code]).not.toBe('');
  }
  expect(isErrorCode('toString')).toBe(false);
});

test('an error of a job is bounded, and can be stored', () => {
  const error = jobError('execution-failed', `a\u0000b${'x'.repeat(10_000)}\ud800`, [
    { pointer: '/a', detail: 'y'.repeat(1_000) },
  ]);
  expect(error.detail).toHaveLength(4_000);
  expect(error.detail).not.toContain('\u0000');
  expect(error.errors?.[0]?.detail).toHaveLength(500);
});

test('text is cut between characters, never within one', () => {
  expect(clip('ab😀', 4)).toBe('ab😀');
  expect(clip('ab😀c', 4).isWellFormed()).toBe(true);
});

test('the cause of a failure is kept', () => {
  const cause = new Error('why');
  expect(new PerdureError('unavailable', 'away', { cause }).cause).toBe(cause);
});
