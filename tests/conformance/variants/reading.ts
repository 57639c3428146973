import { always, body, deaf, goesTo, hasCode, header, isJob, status, type Variant } from './breaks.ts';

const isOver = ({ body: text }: { body: string }): boolean => /"endedAt":"/.test(text);
const plainly = (asked: Parameters<typeof isJob>[0]): boolean => isJob(asked) && !asked.headers['prefer'];
const waits = (asked: Parameters<typeof isJob>[0]): boolean => isJob(asked) && 'prefer' in asked.headers;
const conditionally = (asked: Parameters<typeof isJob>[0]): boolean => 'if-none-match' in asked.headers;
let reads = 0;

export const reading: Variant[] = [
  {
    breaks: 'a job that failed answers 500',
    fails: ['S-1'],
    ...status((answered, asked) => isJob(asked) && /"status":"FAILED"/.test(answered.body), 500),
  },
  {
    breaks: 'a job does not say why it failed',
    fails: ['S-2'],
    ...body(isJob, (job) => void (job.error = null)),
  },
  {
    breaks: 'the ETag is weak',
    fails: ['S-3', 'C-5'],
    answer({ headers }) {
      if (headers['etag']) headers['etag'] = `W/${headers['etag']}`;
    },
  },
  { breaks: 'there is never a 304', fails: ['S-4'], ...deaf(plainly, 'if-none-match') },
  {
    breaks: 'a 304 has no ETag',
    fails: ['S-4'],
    ...header(isJob, 'etag', undefined, (a) => a.status === 304),
  },
  {
    breaks: 'there is always a 304',
    fails: ['S-5'],
    ask({ headers }) {
      if (headers['if-none-match']) headers['if-none-match'] = '*';
    },
  },
  {
    breaks: 'the ETag never changes',
    fails: ['S-6'],
    ask({ headers }) {
      if (headers['if-none-match'] === '"1"') headers['if-none-match'] = '*';
    },
    answer(answered, asked) {
      if (!isJob(asked) && asked.path !== '/v1/jobs') return;
      answered.body = answered.body.replace(/"revision":\d+/, '"revision":1');
      answered.headers['etag'] = '"1"';
    },
  },
  {
    breaks: 'each read has another ETag',
    fails: ['S-4', 'S-7', 'S-12'],
    ...body(isJob, (job, { headers }) => {
      job.revision += ++reads;
      headers['etag'] = `"${job.revision}"`;
    }),
  },
  { breaks: 'there is no Retry-After', fails: ['S-8', 'R-1'], ...header(always, 'retry-after') },
  {
    breaks: 'Retry-After is a date',
    fails: ['S-8'],
    ...header(isJob, 'retry-after', 'Wed, 21 Oct 2026 07:28:00 GMT', (answered) => !isOver(answered)),
  },
  {
    breaks: 'Retry-After is a minute',
    fails: ['S-8'],
    ...header(isJob, 'retry-after', '60', (answered) => !isOver(answered)),
  },
  { breaks: 'Retry-After is there for ever', fails: ['S-9'], ...header(isJob, 'retry-after', '1') },
  {
    breaks: 'nobody vouches for the answer',
    fails: ['S-10'],
    ...body(isJob, (job) => void delete job.source),
  },
  {
    breaks: 'a link leads nowhere',
    fails: ['S-11'],
    ...body(isJob, (job) => void (job.links.result = '/v1/jobs/none/result')),
  },
  {
    breaks: 'there is no HEAD',
    fails: ['S-12'],
    ...status((_, { method }) => method === 'HEAD', 405),
  },
  { breaks: 'progress is a percentage', fails: ['S-13'], ...body(isJob, (job) => void (job.progress = 100)) },
  {
    breaks: 'answers may be kept for a minute',
    fails: ['S-14'],
    ...header(isJob, 'cache-control', 'max-age=60'),
  },
  {
    breaks: 'a long poll answers a change with 304',
    fails: ['W-1'],
    ...status((answered, asked) => waits(asked) && conditionally(asked) && answered.status === 200, 304),
  },
  {
    breaks: 'a long poll answers with what was before it',
    fails: ['W-1', 'W-2'],
    ...body(waits, (job) => void (job.cancelRequestedAt = null)),
  },
  {
    breaks: 'Prefer is ignored',
    fails: ['U-7', 'W-1', 'W-2', 'W-3', 'W-6', 'W-8'],
    ...deaf(always, 'prefer'),
  },
  {
    breaks: 'there is no Preference-Applied',
    fails: ['U-7', 'W-3', 'W-8'],
    ...header(always, 'preference-applied'),
  },
  {
    breaks: 'a wait without a change is 408',
    fails: ['W-4'],
    ...status((answered, asked) => waits(asked) && answered.status === 304, 408),
  },
  {
    breaks: 'a wait without a change is 504 where there is no ETag',
    fails: ['W-5'],
    ...status((answered, asked) => waits(asked) && /"status":"CREATED"/.test(answered.body), 504),
  },
  {
    breaks: 'a conditional wait is answered at once',
    fails: ['W-1', 'W-6'],
    ...deaf((asked) => waits(asked) && conditionally(asked), 'prefer'),
  },
  {
    breaks: 'a wait for a job that is over is answered without it',
    fails: ['W-7'],
    answer(answered, asked) {
      if (waits(asked) && isOver(answered)) answered.body = '{}';
    },
  },
  {
    breaks: 'a wait is not cut',
    fails: ['W-8'],
    ...header(
      waits,
      'preference-applied',
      'wait=3600',
      ({ headers }) => headers['preference-applied'] === 'wait=60',
    ),
  },
  {
    breaks: 'the result of a job that is not over is 404',
    fails: ['R-1'],
    ...status(hasCode('job-not-finished'), 404),
  },
  {
    breaks: 'the result of a job that failed does not say why',
    fails: ['R-2'],
    ...body(goesTo('/result'), (problem) => void delete problem.error),
  },
  {
    breaks: 'the result of a job that was canceled is 404',
    fails: ['R-3'],
    ...status(hasCode('job-not-completed', 'CANCELED'), 404),
  },
  {
    breaks: 'the result is wrapped',
    fails: ['R-4'],
    ...body(goesTo('/result'), (output, { status: code }) => (code === 200 ? { output } : output)),
  },
  {
    breaks: 'a result has never a 304',
    fails: ['R-6'],
    ...deaf(goesTo('/result'), 'if-none-match'),
  },
];
