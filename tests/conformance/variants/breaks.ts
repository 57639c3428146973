import type { Answered, Asked, Break } from '../breaking-proxy.ts';

/** A server that breaks something, and the rules that it must fail; no other rule of their groups may. */
export type Variant = Break & { breaks: string; fails: string[] };

export const isJob = ({ method, path }: Asked): boolean =>
  (method === 'GET' || method === 'HEAD') && /^\/v1\/jobs\/[\w-]+$/.test(path);
export const isSubmit = ({ method, path }: Asked): boolean =>
  method === 'POST' && /^\/v1\/jobs(\?|$)/.test(path);
export const goesTo =
  (end: string) =>
  ({ path }: Asked): boolean =>
    (path.split('?')[0] ?? '').endsWith(end);

type Fits = (asked: Asked) => boolean;
type Json = any; // eslint-disable-line @typescript-eslint/no-explicit-any

/** Changes the JSON of answers. */
export const body = (fits: Fits, change: (json: Json, answered: Answered, asked: Asked) => Json): Break => ({
  answer(answered, asked) {
    if (
      !fits(asked) ||
      !/^application\/(problem\+)?json\b/.test(answered.headers['content-type'] ?? '') ||
      answered.body === ''
    )
      return;
    const json = JSON.parse(answered.body);
    answered.body = JSON.stringify(change(json, answered, asked) ?? json);
  },
});

/** Leaves a header of the answers out, or says it otherwise. */
export const header = (
  fits: Fits,
  name: string,
  value?: string,
  only?: (answered: Answered) => boolean,
): Break => ({
  answer(answered, asked) {
    if (!fits(asked) || only?.(answered) === false) return;
    if (value === undefined) delete answered.headers[name];
    else answered.headers[name] = value;
  },
});

/** Takes a header for not given. */
export const deaf = (fits: Fits, ...names: string[]): Break => ({
  ask(asked) {
    if (fits(asked)) for (const name of names) delete asked.headers[name];
  },
});

/** Takes a parameter of the query for not given. */
export const blind = (fits: Fits, name: string): Break => ({
  ask(asked) {
    if (!fits(asked)) return;
    const url = new URL(asked.path, 'http://any');
    url.searchParams.delete(name);
    asked.path = `${url.pathname}${url.search}`;
  },
});

/** Changes the JSON that is sent. */
export const heard = (fits: Fits, change: (json: Json) => void): Break => ({
  ask(asked) {
    if (!fits(asked) || asked.body === '') return;
    const json = JSON.parse(asked.body);
    change(json);
    asked.body = JSON.stringify(json);
  },
});

/** Answers with another status; a problem says the same. */
export const status = (fits: (answered: Answered, asked: Asked) => boolean, code: number): Break => ({
  answer(answered, asked) {
    if (!fits(answered, asked)) return;
    answered.status = code;
    if (answered.headers['content-type'] === 'application/problem+json')
      answered.body = JSON.stringify({ ...(JSON.parse(answered.body) as object), status: code });
  },
});

export const hasCode =
  (code: string, detail = '') =>
  ({ body: text }: Answered): boolean =>
    text.includes(`"code":"${code}"`) && text.includes(detail);
export const always: Fits = () => true;
