import { expect, test } from '@jest/globals';
import { requestId } from './request-id.ts';

const trace = '4bf92f3577b34da6a3ce929d0e0e4736';

test.each([
  [{ traceparent: `00-${trace}-00f067aa0ba902b7-01` }, trace],
  [{ traceparent: `cc-${trace}-00f067aa0ba902b7-01-more` }, trace],
  [{ 'x-request-id': 'order-4711.a' }, 'order-4711.a'],
])('%j is taken over', (headers, id) => {
  expect(requestId({ headers })).toBe(id);
});

test.each([
  [{}],
  [{ traceparent: `00-${'0'.repeat(32)}-00f067aa0ba902b7-01` }],
  [{ traceparent: 'nonsense' }],
  [{ 'x-request-id': 'short' }],
  [{ 'x-request-id': 'a line\nand another' }],
  [{ 'x-request-id': 'x'.repeat(65) }],
])('%j gets a new id', (headers) => {
  expect(requestId({ headers })).toMatch(/^[0-9a-f]{32}$/);
});
