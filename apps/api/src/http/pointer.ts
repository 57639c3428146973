/** A JSON Pointer (RFC 6901) behind `prefix`. */
export function pointerOf(prefix: string, path: readonly PropertyKey[]): string {
  const parts = path.map((part) => String(part).replaceAll('~', '~0').replaceAll('/', '~1'));
  return [prefix, ...parts].join('/').toWellFormed();
}
