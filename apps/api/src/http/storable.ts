import type { ErrorDetail } from '@perdure/job/errors';
import { pointerOf } from './pointer.ts';

/** PostgreSQL stores neither NUL nor half a surrogate pair. */
export function isStorable(text: string): boolean {
  return !text.includes('\u0000') && text.isWellFormed();
}

/** Every place of a parsed body that PostgreSQL could not store, or JSON not give back. */
export function unstorableIn(value: unknown, pointer = ''): ErrorDetail[] {
  if (typeof value === 'string') {
    return isStorable(value) ? [] : [{ pointer, detail: 'has a NUL or half a surrogate pair' }];
  }
  if (typeof value === 'number') {
    return Number.isFinite(value) ? [] : [{ pointer, detail: 'is a number beyond what can be stored' }];
  }
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) => {
    const place = pointerOf(pointer, [key]);
    if (isStorable(key)) return unstorableIn(inner, place);
    return [{ pointer: place, detail: 'has a name with a NUL or half a surrogate pair' }];
  });
}
