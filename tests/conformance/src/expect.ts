import { type Answer, clipped } from './client.ts';
import { Broken } from './outcome.ts';

/** Throws `Broken` unless `holds`. `came` names what is wrong, where the answer itself does not show it. */
export function must(holds: boolean, expected: string, answer: Answer, came?: string): asserts holds {
  if (!holds) throw new Broken(expected, came ?? shown(answer), answer.curl);
}

export function mustBe(answer: Answer, ...statuses: number[]): void {
  must(statuses.includes(answer.status), `the status ${statuses.join(' or ')}`, answer);
}

/** The header, which must be there and fit. */
export function header(answer: Answer, name: string, form: RegExp | string, what = String(form)): string {
  const value = answer.headers.get(name);
  const fits = value !== null && (typeof form === 'string' ? value === form : form.test(value));
  must(fits, `the header ${name}: ${what}`, answer, `${answer.status}, ${name}: ${value ?? '(none)'}`);
  return value;
}

/** A refusal: the status, the code, and the place in the request that is named, if any. */
export function mustRefuse(answer: Answer, status: number, code: string, pointer?: string): void {
  must(
    answer.status === status && answer.body?.code === code,
    `the status ${status} with the code ${code}`,
    answer,
  );
  if (pointer === undefined) return;
  const pointers: unknown[] = (answer.body.errors ?? []).map((one: { pointer: unknown }) => one.pointer);
  must(pointers.includes(pointer), `an entry of errors with the pointer ${pointer}`, answer);
}

/** The same value, compared as JSON. */
export function same(one: unknown, other: unknown): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}

export const isMoment = (value: unknown): boolean =>
  typeof value === 'string' &&
  /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/.test(value) &&
  !Number.isNaN(Date.parse(value));

function shown({ status, headers, text }: Answer): string {
  const some = ['content-type', 'etag', 'location', 'retry-after', 'allow', 'content-range']
    .map((name) => [name, headers.get(name)] as const)
    .flatMap(([name, value]) => (value === null ? [] : [`${name}: ${value}`]));
  return [`${status}`, ...some, clipped(text, 300)].join(', ');
}
