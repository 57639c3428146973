import { blind, body, status, type Variant } from './breaks.ts';

const isAudit = ({ path }: { path: string }) => path.startsWith('/v1/audit');
type Entry = { actor: { id: string }; outcome: string; code: string | null };

export const audit: Variant[] = [
  {
    breaks: 'somebody else is named in the audit log',
    fails: ['D-1'],
    ...body(isAudit, ({ items }, _answered, { path }) => {
      // Not where it is asked for by name: that is about the filters.
      if (!path.includes('actor=')) items?.forEach((one: Entry) => (one.actor.id = `not-${one.actor.id}`));
    }),
  },
  {
    breaks: 'the audit log does not say why something was refused',
    fails: ['D-2'],
    ...body(isAudit, ({ items }) => items?.forEach((one: Entry) => (one.code = null))),
  },
  { breaks: 'the audit log takes no notice of the outcome', fails: ['D-3'], ...blind(isAudit, 'outcome') },
  { breaks: 'each page of the audit log is the first', fails: ['D-4'], ...blind(isAudit, 'pageToken') },
  {
    breaks: 'the audit log comes as JSON, whatever was asked for',
    fails: ['D-5'],
    ask(asked) {
      if (isAudit(asked)) delete asked.headers['accept'];
    },
  },
  {
    breaks: 'the audit log is not there for who may not read it',
    fails: ['D-6'],
    ...status(({ status: was }, asked) => isAudit(asked) && was === 403, 404),
  },
];
