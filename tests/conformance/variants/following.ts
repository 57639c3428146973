import { blind, body, deaf, goesTo, hasCode, header, status, type Variant } from './breaks.ts';

const isHistory = goesTo('/history');
const isStream = (asked: { path: string }): boolean => /^\/v1\/jobs\/.*\/events$/.test(asked.path);
const isLog = goesTo('/logs');
const isList = ({ method, path }: { method: string; path: string }): boolean =>
  method === 'GET' && /^\/v1\/jobs(\?|$)/.test(path);
const accepts = (kind: string) => (asked: Parameters<typeof isLog>[0]) =>
  isLog(asked) && asked.headers['accept'] === kind;

/** Changes the messages of the stream of a job. */
const messages = (change: (blocks: string[]) => string[]): Pick<Variant, 'answer'> => ({
  answer(answered, asked) {
    if (!isStream(asked) || answered.status !== 200) return;
    const blocks = answered.body.split('\n\n').filter((block) => block.includes('data: '));
    answered.body = change(blocks)
      .map((block) => `${block}\n\n`)
      .join('');
  },
});

export const following: Variant[] = [
  {
    breaks: 'an event is missing in the history',
    fails: ['E-1', 'E-3'],
    ...body(isHistory, (history) => void history.items.splice(2, 1)),
  },
  {
    breaks: 'an event does not say who caused it',
    fails: ['E-2'],
    ...body(isHistory, ({ items }) => items.forEach((event: { actor?: string }) => delete event.actor)),
  },
  { breaks: 'a stream is plain text', fails: ['E-3'], ...header(isStream, 'content-type', 'text/plain') },
  {
    breaks: 'a stream leaves an event out',
    fails: ['E-3'],
    ...messages((all) => all.filter((one) => !/"seq":2,/.test(one))),
  },
  {
    breaks: 'a stream repeats an event',
    fails: ['E-3', 'E-4', 'E-5'],
    ...messages(([first = '', ...rest]) => [first, first, ...rest]),
  },
  {
    breaks: 'the ids of a stream are not revisions',
    fails: ['E-4', 'E-5'],
    ...messages((all) => all.map((one, index) => one.replace(/id: \d+/, `id: ${index + 1}`))),
  },
  {
    breaks: 'a resumed stream tells the last event again',
    fails: ['E-5', 'E-7'],
    ask({ headers }) {
      if (/^\d$/.test(headers['last-event-id'] ?? ''))
        headers['last-event-id'] = String(Number(headers['last-event-id']) - 1);
    },
  },
  { breaks: 'Last-Event-ID is ignored', fails: ['E-5', 'E-7', 'E-8'], ...deaf(isStream, 'last-event-id') },
  {
    breaks: 'a stream ends before the job',
    fails: ['E-3', 'E-4', 'E-6'],
    ...messages((all) => all.slice(0, -1)),
  },
  {
    breaks: 'a stream that is over begins anew',
    fails: ['E-7'],
    ...status(({ status: code }) => code === 204, 200),
  },
  {
    breaks: 'a wrong Last-Event-ID is taken for none',
    fails: ['E-8'],
    ...status(hasCode('invalid-request', 'Last-Event-ID'), 200),
  },
  {
    breaks: 'there is no stream of all jobs',
    fails: ['E-9', 'E-10'],
    instead: ({ path, headers }) =>
      path === '/v1/events' && headers['last-event-id'] !== 'x'
        ? { status: 200, headers: {}, body: '' }
        : undefined,
  },
  {
    breaks: 'the stream of all jobs cannot be resumed',
    fails: ['E-10'],
    instead: ({ path, headers }) =>
      path === '/v1/events' && (headers['last-event-id'] ?? 'x') !== 'x'
        ? { status: 200, headers: {}, body: '' }
        : undefined,
  },
  { breaks: 'a stream is sent to those who do not take it', fails: ['E-11'], ...deaf(isStream, 'accept') },
  {
    breaks: 'lines have no level',
    fails: ['G-1'],
    ...body(isLog, ({ items }) => items?.forEach((line: { level?: string }) => delete line.level)),
  },
  {
    breaks: 'lines have the same time',
    fails: ['G-2', 'G-3'],
    ...body(isLog, ({ items }) => items?.forEach((line: { at: string }) => (line.at = items[0].at))),
  },
  {
    breaks: 'since is inclusive',
    fails: ['G-3', 'G-4'],
    ask(asked) {
      asked.path = asked.path.replace(/(since=[^&]*)(\d{6})Z/, (_, before: string, digits: string) => {
        return `${before}${String(Number(digits) - 1).padStart(6, '0')}Z`;
      });
    },
  },
  {
    breaks: 'a page says that it is the last',
    fails: ['G-4'],
    ...body(isLog, (page) => void (page.more = false)),
  },
  { breaks: 'there is no ndjson', fails: ['G-5'], ...deaf(accepts('application/x-ndjson'), 'accept') },
  { breaks: 'there is no plain text', fails: ['G-6'], ...deaf(accepts('text/plain'), 'accept') },
  { breaks: 'a log is not followed', fails: ['G-7'], ...blind(isLog, 'follow') },
  {
    breaks: 'the last line comes later than the end',
    fails: ['G-8'],
    ...body(
      ({ path }) => path.includes('limit=1000'),
      (page) => void page.items.pop(),
    ),
  },
  { breaks: 'the level is no filter', fails: ['G-9'], ...blind(isLog, 'level') },
  {
    breaks: 'a log comes in a form that was not asked for',
    fails: ['G-10'],
    ...status(hasCode('not-acceptable'), 200),
  },
  {
    breaks: 'lists are the wrong way round',
    fails: ['L-1', 'L-3', 'L-9'],
    ...body(isList, (page) => void page.items?.reverse()),
  },
  {
    breaks: 'a list is some seconds late',
    fails: ['L-2', 'L-3'],
    ...body(isList, (page) => {
      const late = (job: { createdAt: string }): boolean => Date.parse(job.createdAt) < Date.now() - 5_000;
      if (page.items) page.items = page.items.filter(late);
    }),
  },
  {
    breaks: 'a walk leaves jobs out',
    fails: ['L-3'],
    ...body(
      ({ path }) => path.startsWith('/v1/jobs?pageSize=2&pageToken'),
      (page) => void page.items?.pop(),
    ),
  },
  { breaks: 'page tokens are ignored', fails: ['L-3', 'L-4', 'L-5'], ...blind(isList, 'pageToken') },
  {
    breaks: 'a page token is taken for another filter',
    fails: ['L-4'],
    ...blind(({ path }) => path.includes('pageToken') && path.includes('function=sleep'), 'function'),
  },
  {
    breaks: 'page tokens are not signed',
    fails: ['L-5'],
    ...blind(({ path }) => path.includes('.AAAAAAAAAA'), 'pageToken'),
  },
  {
    breaks: 'the function is no filter',
    fails: ['L-6'],
    ...blind(({ path }) => path.includes('status='), 'function'),
  },
  { breaks: 'an unknown filter is ignored', fails: ['L-7'], ...blind(isList, 'colour') },
  { breaks: 'labels are no filter', fails: ['L-8'], ...blind(isList, 'label') },
  { breaks: 'the sort is ignored', fails: ['L-9'], ...blind(isList, 'sort') },
  {
    breaks: 'the counts do not say of when they are',
    fails: ['L-10'],
    ...body(goesTo(':counts'), (counts) => void delete counts.asOf),
  },
];
