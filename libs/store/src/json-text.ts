/** What `JSON.stringify` makes of a NUL and of a lone surrogate. PostgreSQL's jsonb and text refuse both. */
const unstorable = /\\u0000|\\ud[89a-f][0-9a-f]{2}/;

/**
 * JSON for a jsonb column. Characters that PostgreSQL cannot store become U+FFFD: what an agent or a direct start
 * sends must not keep its job from being recorded.
 */
export function jsonText(value: unknown): string {
  const text = JSON.stringify(value);
  return unstorable.test(text) ? JSON.stringify(storable(value)) : text;
}

function storable(value: unknown): unknown {
  if (typeof value === 'string') return storableText(value);
  if (Array.isArray(value)) return value.map(storable);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [storableText(key), storable(inner)]),
  );
}

export function storableText(text: string): string {
  return text.replaceAll('\u0000', '\uFFFD').toWellFormed();
}
