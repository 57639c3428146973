import {
  always,
  body,
  deaf,
  hasCode,
  header,
  heard,
  isJob,
  isSubmit,
  status,
  type Variant,
} from './breaks.ts';

const isProblem = ({ headers }: { headers: Record<string, string> }): boolean =>
  headers['content-type'] === 'application/problem+json';
const problem = (change: (problem: Record<string, unknown>) => void): Pick<Variant, 'answer'> =>
  body(always, (json, answered) => void (isProblem(answered) && change(json)));
const at = (path: string) => (asked: { path: string }) => asked.path === path;

export const refusing: Variant[] = [
  {
    breaks: 'problems are plain JSON',
    fails: ['P-1'],
    ...header(always, 'content-type', 'application/json', isProblem),
  },
  { breaks: 'problems do not say where', fails: ['P-2'], ...problem((one) => delete one['instance']) },
  {
    breaks: 'problems have no code',
    fails: ['P-2', 'P-3', 'P-5', 'P-6', 'P-7', 'P-8', 'P-9', 'P-10', 'P-11', 'P-13'],
    ...problem((one) => delete one['code']),
  },
  {
    breaks: 'all problems are of one type',
    fails: ['P-3'],
    ...problem((one) => (one['type'] = 'about:blank')),
  },
  { breaks: 'the trace of the caller is lost', fails: ['P-4'], ...deaf(always, 'traceparent') },
  { breaks: 'broken JSON is 422', fails: ['P-5'], ...status(hasCode('malformed-request', 'not JSON'), 422) },
  {
    breaks: 'deep JSON is a crash',
    fails: ['P-6'],
    ...status(hasCode('malformed-request', 'levels deep'), 500),
  },
  {
    breaks: 'a broken URL is 404',
    fails: ['P-7'],
    ...status((answered, asked) => at('/v1/jobs/%zz')(asked) && answered.status === 400, 404),
  },
  { breaks: 'another media type is 400', fails: ['P-8'], ...status(hasCode('unsupported-media-type'), 400) },
  {
    breaks: 'unknown fields are ignored',
    fails: ['P-9'],
    ...heard(
      (asked) => isSubmit(asked) && asked.body.includes('colour'),
      (job) => void delete job.colour,
    ),
  },
  {
    breaks: 'an id that can be none is 404',
    fails: ['P-10'],
    ...status(hasCode('invalid-request', 'path/id'), 404),
  },
  { breaks: 'a 405 has no Allow', fails: ['P-11'], ...header(always, 'allow') },
  { breaks: 'a wrong method is 404', fails: ['P-11'], ...status(hasCode('method-not-allowed'), 404) },
  {
    breaks: 'a body that is too large is 400',
    fails: ['P-12'],
    ...status(hasCode('payload-too-large'), 400),
  },
  {
    breaks: 'an unknown id is 200',
    fails: ['P-13'],
    ...status((answered, asked) => isJob(asked) && answered.status === 404, 200),
  },
  { breaks: 'a 401 does not say how', fails: ['A-1'], ...header(always, 'www-authenticate') },
  {
    breaks: 'a wrong key is 403',
    fails: ['A-2'],
    ...status(
      (answered, { headers }) => answered.status === 401 && headers['authorization'] !== undefined,
      403,
    ),
  },
  {
    breaks: 'nobody is told what a key may do',
    fails: ['A-3'],
    ...body(at('/v1/me'), (me) => void delete me.permissions),
  },
  {
    breaks: 'a job of somebody else is 403',
    fails: ['A-4'],
    async answer(answered, asked, { api, key }) {
      if (answered.status !== 404 || asked.method !== 'GET') return;
      const headers = { authorization: `Bearer ${key}` };
      if ((await fetch(`${api}${asked.path}`, { headers })).status < 400) answered.status = 403;
    },
  },
  {
    breaks: 'a function has no schema',
    fails: ['K-1'],
    ...body(at('/v1/functions'), ({ items }) =>
      items.forEach((one: { inputSchema?: object }) => delete one.inputSchema),
    ),
  },
  {
    breaks: 'an unknown function is 200',
    fails: ['K-2'],
    ...status((answered, { path }) => path.startsWith('/v1/functions/') && answered.status === 404, 200),
  },
  {
    breaks: 'the API is not described',
    fails: ['K-3'],
    ...body(at('/openapi.json'), (document) => void delete document.paths['/v1/jobs'].post),
  },
  { breaks: '/livez needs a key', fails: ['H-1'], ...status((_, asked) => at('/livez')(asked), 401) },
  {
    breaks: '/readyz does not say what it looked at',
    fails: ['H-2'],
    ...body(at('/readyz'), (ready) => void delete ready.checks),
  },
];
