import { expect, test } from '@jest/globals';
import { PerdureError } from '@perdure/job/errors';
import { preferredType } from './accept.ts';

const offered = ['application/json', 'application/x-ndjson'] as const;

test.each([
  [undefined, 'application/json'],
  ['*/*', 'application/json'],
  ['application/x-ndjson', 'application/x-ndjson'],
  ['application/json;q=0.1, application/x-ndjson', 'application/x-ndjson'],
  ['application/*', 'application/json'],
  ['application/json;q=0, */*', 'application/x-ndjson'],
  ['APPLICATION/X-NDJSON', 'application/x-ndjson'],
])('Accept: %s is answered with %s', (header, type) => {
  expect(preferredType(header, offered)).toBe(type);
});

test.each(['text/html', 'application/json;q=0, application/x-ndjson;q=0'])(
  'Accept: %s is refused',
  (header) => {
    expect(() => preferredType(header, offered)).toThrow(PerdureError);
  },
);
