import type { ErrorDetail } from '@perdure/job/errors';
import { clip } from '@perdure/job/errors';
import { InputError } from '../errors.ts';
import { inWords } from '../parse.ts';

/** So many places are named; who mends these can ask again. */
export const maxProblems = 20;

/** Where in a CSV file something is wrong. Lines count from 1, the header's. */
export class Problems {
  readonly found: ErrorDetail[] = [];

  get full(): boolean {
    return this.found.length >= maxProblems;
  }

  add(place: { line: number; column?: string }, detail: string): void {
    if (this.full) return;
    const column = place.column === undefined ? '' : `, column ${quoted(place.column)}`;
    this.found.push({ pointer: `line ${place.line}${column}`, detail });
  }

  /** Throws `InputError` 'invalid-input' when anything was found. */
  throwIfAny(cause?: unknown): void {
    if (this.found.length === 0) return;
    throw new InputError(`The data file cannot be used: ${inWords(this.found)}`, {
      details: this.found,
      cause,
    });
  }
}

/** Foreign text in a message: short, and without what breaks a line. */
export function quoted(text: string): string {
  // eslint-disable-next-line no-control-regex -- control characters are what is looked for
  return clip(text.replaceAll(/[\u0000-\u001f\u007f]/g, '\uFFFD'), 60);
}
