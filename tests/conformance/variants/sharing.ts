import { body, type Variant } from './breaks.ts';

const access = (method: string) => (asked: { method: string; path: string }) =>
  asked.method === method && asked.path.includes('/access');

export const sharing: Variant[] = [
  {
    breaks: 'the owner is not among those who have access',
    fails: ['O-1'],
    ...body(access('GET'), ({ items }) => ({ items: items.slice(1) })),
  },
  {
    breaks: 'strangers are given access',
    fails: ['O-2'],
    instead: (asked) =>
      access('PUT')(asked) && asked.body.includes('@')
        ? { status: 200, headers: { 'content-type': 'application/json' }, body: '{}' }
        : undefined,
  },
  {
    breaks: 'the owner becomes a viewer',
    fails: ['O-3'],
    instead: (asked) =>
      access('PUT')(asked) && !asked.body.includes('@')
        ? { status: 200, headers: { 'content-type': 'application/json' }, body: '{"access":"viewer"}' }
        : undefined,
  },
  {
    breaks: 'who has no access cannot be without',
    fails: ['O-4'],
    answer(answered, asked) {
      if (access('DELETE')(asked) && answered.status === 204) answered.status = 404;
    },
  },
];
