import { blind, body, hasCode, header, heard, status, type Variant } from './breaks.ts';

const keys = (method: string) => (asked: { method: string; path: string }) =>
  asked.method === method && asked.path.startsWith('/v1/keys');

export const identity: Variant[] = [
  { breaks: 'caches may keep a new key', fails: ['I-1'], ...header(keys('POST'), 'cache-control') },
  {
    breaks: 'the secrets of keys are listed',
    fails: ['I-2'],
    ...body(keys('GET'), ({ items }) => items.forEach((one: { key?: string }) => (one.key = 'pk_x'))),
  },
  {
    breaks: 'a key that asks for too much gets less',
    fails: ['I-3'],
    ...heard(keys('POST'), (key) => {
      if (key.role === 'admin') delete key.role;
    }),
  },
  {
    breaks: 'a key that asks for too long gets less',
    fails: ['I-4'],
    ...heard(keys('POST'), (key) => {
      if (key.expiresAt?.startsWith('2100')) delete key.expiresAt;
    }),
  },
  {
    breaks: 'a revoked key goes on',
    fails: ['I-5', 'I-6'],
    instead: (asked) => (keys('DELETE')(asked) ? { status: 204, headers: {}, body: '' } : undefined),
  },
  { breaks: 'each page of keys is the first', fails: ['I-7'], ...blind(keys('GET'), 'pageToken') },
  { breaks: 'what a key may not do is 404', fails: ['A-5'], ...status(hasCode('forbidden'), 404) },
];
