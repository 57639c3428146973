import {
  always,
  blind,
  body,
  deaf,
  goesTo,
  hasCode,
  header,
  heard,
  isJob,
  isSubmit,
  status,
  type Variant,
} from './breaks.ts';

const isCancel = goesTo(':cancel');
const isFile = ({ path }: { path: string }): boolean => path.startsWith('/v1/files');
const isSigned = ({ path }: { path: string }): boolean => path.includes('?signature=');
const keyed = (headers: Record<string, string>): string | undefined => headers['idempotency-key'];
const keysUnderWay = new Set<string>();
/** Paths that were asked for once. */
const askedOnce = new Set<string>();

export const writing: Variant[] = [
  { breaks: 'a submit has no Location', fails: ['U-1'], ...header(isSubmit, 'location') },
  {
    breaks: 'a submit answers 202',
    fails: ['U-1', 'U-7'],
    ...status(({ status: code }, asked) => isSubmit(asked) && code === 201, 202),
  },
  {
    breaks: 'a repeat answers 201',
    fails: ['U-2'],
    ...status(({ status: code }, asked) => code === 200 && keyed(asked.headers) !== undefined, 201),
  },
  {
    breaks: 'the Idempotency-Key is ignored: each repeat makes a new job',
    fails: ['U-2', 'U-3', 'U-4', 'U-13'],
    ...deaf(always, 'idempotency-key'),
  },
  {
    breaks: 'an Idempotency-Key may be used with another body',
    fails: ['U-3'],
    ...status(hasCode('idempotency-key-reused'), 200),
  },
  {
    breaks: 'repeats that come at once each make a job',
    fails: ['U-4'],
    ask({ headers }) {
      const key = keyed(headers) ?? '';
      if (keysUnderWay.has(key)) delete headers['idempotency-key'];
      else if (key !== '') keysUnderWay.add(key);
    },
    answer: (_, { headers }) => void keysUnderWay.delete(keyed(headers) ?? ''),
  },
  {
    breaks: 'an id is not for the client to choose',
    fails: ['U-5'],
    ...heard(isSubmit, (job) => void delete job.id),
  },
  {
    breaks: 'validateOnly makes a job',
    fails: ['U-6'],
    ask(asked) {
      blind(isSubmit, 'validateOnly').ask?.(asked);
      heard(isSubmit, (job) => void delete job.validateOnly).ask?.(asked);
    },
  },
  {
    breaks: 'it is not told where an unknown name stands',
    fails: ['U-8'],
    ...body(
      isSubmit,
      (problem) => void (String(problem.code).startsWith('unknown') && delete problem.errors),
    ),
  },
  {
    breaks: 'parameters are judged only once the job runs',
    fails: ['U-9'],
    ...heard(isSubmit, ({ parameters }) => void (parameters?.seconds === 'many' && (parameters.seconds = 0))),
  },
  {
    breaks: 'a refused submit stores a job',
    fails: ['U-10'],
    async answer({ status: code }, asked, { api, key }) {
      if (code !== 422 || !isSubmit(asked) || !asked.body.includes('-1')) return;
      const headers = { 'content-type': 'application/json', authorization: `Bearer ${key}` };
      await fetch(`${api}/v1/jobs`, { method: 'POST', headers, body: asked.body.replace('-1', '0') });
    },
  },
  {
    breaks: 'a job for later does not say that it is',
    fails: ['U-11'],
    ...body(isJob, (job) => void (job.waitingReason = null)),
  },
  {
    breaks: 'a batch answers 200',
    fails: ['U-12'],
    ...status(({ status: code }) => code === 207, 200),
  },
  {
    breaks: 'a repeated batch makes new jobs',
    fails: ['U-13'],
    ...deaf(goesTo(':batch'), 'idempotency-key'),
  },
  {
    breaks: 'a cancel answers 200 at once',
    fails: ['C-1'],
    ...status((_, asked) => isCancel(asked) && _.status === 202, 200),
  },
  {
    breaks: 'a cancel of a job that is over is refused',
    fails: ['C-2'],
    ...status(
      ({ status: code }, asked) => isCancel(asked) && !asked.headers['if-match'] && code === 200,
      409,
    ),
  },
  {
    breaks: 'a second cancel is refused',
    fails: ['C-3'],
    answer(answered, asked) {
      if (!isCancel(asked) || asked.headers['if-match']) return;
      if (askedOnce.has(asked.path)) answered.status = 409;
      askedOnce.add(asked.path);
    },
  },
  { breaks: 'If-Match is ignored', fails: ['C-4'], ...deaf(isCancel, 'if-match') },
  {
    breaks: 'If-Match never fits',
    fails: ['C-5'],
    ask({ headers }) {
      if (headers['if-match']) headers['if-match'] = '"0"';
    },
  },
  {
    breaks: 'a reassign answers 200',
    fails: ['C-6'],
    ...status(({ status: code }, asked) => goesTo(':reassign')(asked) && code === 202, 200),
  },
  {
    breaks: 'a job that is over can be reassigned',
    fails: ['C-7'],
    ...status(
      (answered, asked) => goesTo(':reassign')(asked) && hasCode('transition-refused')(answered),
      202,
    ),
  },
  { breaks: 'a job can be reassigned to nobody', fails: ['C-8'], ...status(hasCode('unknown-agent'), 202) },
  {
    breaks: 'the reason of a cancel is lost',
    fails: ['C-9'],
    ...heard(isCancel, (request) => void delete request.reason),
  },
  {
    breaks: 'a rerun does not name the job that it runs again',
    fails: ['C-10'],
    ...body(goesTo(':rerun'), (job) => void (job.rerunOf &&= null)),
  },
  {
    breaks: 'a job that is not over can be run again',
    fails: ['C-11'],
    ...status((answered, asked) => goesTo(':rerun')(asked) && answered.status === 409, 201),
  },
  {
    breaks: 'archived jobs stay in the lists',
    fails: ['C-12'],
    ask(asked) {
      if (asked.path.startsWith('/v1/jobs?')) asked.path += '&archived=any';
    },
  },
  {
    breaks: 'a second archive is refused',
    fails: ['C-13'],
    answer(answered, asked) {
      if (!goesTo(':archive')(asked) || answered.status !== 200) return;
      if (askedOnce.has(asked.path)) answered.status = 409;
      askedOnce.add(asked.path);
    },
  },
  {
    breaks: 'a job that is not over can be archived',
    fails: ['C-14'],
    ...status((answered, asked) => goesTo(':archive')(asked) && answered.status === 409, 200),
  },
  { breaks: 'an upload has no Location', fails: ['F-1'], ...header(isFile, 'location') },
  { breaks: 'a digest is not checked', fails: ['F-2'], ...deaf(isFile, 'content-digest') },
  { breaks: 'the ETag of a file is not its digest', fails: ['F-3'], ...header(isFile, 'etag', '"1"') },
  { breaks: 'ranges are ignored', fails: ['F-4', 'F-5', 'F-6', 'F-12'], ...deaf(isFile, 'range') },
  {
    breaks: 'a part does not say which it is',
    fails: ['F-4'],
    ...header(isFile, 'content-range', undefined, ({ status: code }) => code === 206),
  },
  {
    breaks: 'a range that is refused does not tell the size',
    fails: ['F-5'],
    ...header(isFile, 'content-range', undefined, ({ status: code }) => code === 416),
  },
  { breaks: 'If-Range is ignored', fails: ['F-6'], ...deaf(isFile, 'if-range') },
  { breaks: 'a file has never a 304', fails: ['F-7'], ...deaf(isFile, 'if-none-match') },
  {
    breaks: 'files are shown in the browser',
    fails: ['F-8'],
    ...header(isFile, 'content-disposition', 'inline'),
  },
  { breaks: 'the type of files is guessed', fails: ['F-8'], ...header(isFile, 'x-content-type-options') },
  {
    breaks: 'HEAD does not tell the length',
    fails: ['F-9'],
    ...header(({ method }) => method === 'HEAD', 'content-length'),
  },
  {
    breaks: 'an upload does not tell where it stopped',
    fails: ['F-10'],
    ...header(({ path }) => path.startsWith('/v1/uploads/'), 'upload-offset'),
  },
  {
    breaks: 'the digest of an upload in several requests is not checked',
    fails: ['F-11'],
    ask({ path, headers }) {
      if (path === '/v1/uploads') delete headers['upload-metadata'];
    },
  },
  {
    breaks: 'a signed URL needs a key all the same',
    fails: ['F-12'],
    ...status(({ status: code }, asked) => isSigned(asked) && code < 300 && asked.method === 'GET', 401),
  },
  {
    breaks: 'what is changed of a signed URL is not looked at',
    fails: ['F-13'],
    ...status(({ status: code }, asked) => isSigned(asked) && code === 403, 200),
  },
  {
    breaks: 'a signed URL takes any number of files',
    fails: ['F-14'],
    ...status(({ status: code }, asked) => isSigned(asked) && code === 409, 201),
  },
];
