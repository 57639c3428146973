import { relative } from 'node:path';
import pc from 'picocolors';
import type { Stack } from './stack.ts';

/** Where everything is, as a table. */
export function addressTable({ apiUrl, servers, home }: Pick<Stack, 'apiUrl' | 'servers' | 'home'>): string {
  const rows = [
    ['API', apiUrl],
    ['API docs', `${apiUrl}/docs`],
    ['Temporal UI', servers.temporalUiUrl ?? `of the server at ${servers.temporalAddress}`],
    ['Data', shown(home.folder)],
    ['Admin key', `in ${shown(home.adminKey)}`],
    ['Command', `npx perdure login --url ${apiUrl} < ${shown(home.adminKey)}`],
  ] as const;
  const widest = Math.max(...rows.map(([what]) => what.length));
  const lines = rows.map(([what, where]) => `  ${pc.bold(what.padEnd(widest))}  ${pc.cyan(where)}`);
  return ['', 'Perdure is up:', ...lines, ''].join('\n');
}

/** A path as one would type it here. */
export function shown(path: string): string {
  const fromHere = relative(process.cwd(), path);
  return fromHere === '' || fromHere.startsWith('..') ? path : fromHere;
}
