import { readFile } from 'node:fs/promises';
import { InvalidArgumentError } from 'commander';
import { UsageError } from './exit.ts';

/** Collects `key=value` options. */
export function pair(text: string, before: Record<string, string> = {}): Record<string, string> {
  const at = text.indexOf('=');
  if (at < 1) throw new InvalidArgumentError("Write it as 'key=value'.");
  return { ...before, [text.slice(0, at)]: text.slice(at + 1) };
}

export function number(text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !Number.isFinite(value)) throw new InvalidArgumentError('Give a number.');
  return value;
}

export function list(text: string, before: string[] = []): string[] {
  return [...before, ...text.split(',')];
}

/** `name` or `name@version`. */
export function nameAndVersion(text: string): { name: string; version?: string } {
  const [name = '', version] = text.split('@', 2);
  return version === undefined ? { name } : { name, version };
}

/** The parameters: JSON, `@file`, or `-` for stdin; `--param` adds to them. A value that is JSON is taken as such, all else as text. */
export async function parametersFrom(
  given: string | undefined,
  single: Record<string, string> = {},
): Promise<Record<string, unknown> | undefined> {
  const base = given === undefined ? undefined : objectIn(await textOf(given));
  const more = Object.entries(single).map(([key, value]) => [key, jsonOrText(value)] as const);
  return base === undefined && more.length === 0 ? undefined : { ...base, ...Object.fromEntries(more) };
}

async function textOf(given: string): Promise<string> {
  if (given === '-') {
    const chunks: string[] = [];
    for await (const chunk of process.stdin.setEncoding('utf8')) chunks.push(String(chunk));
    return chunks.join('');
  }
  if (!given.startsWith('@')) return given;
  return readFile(given.slice(1), 'utf8').catch((cause: unknown) => {
    throw new UsageError(`${given.slice(1)} cannot be read: ${(cause as Error).message}`);
  });
}

function objectIn(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null && !Array.isArray(value))
      return value as Record<string, unknown>;
  } catch (cause) {
    throw new UsageError(`The parameters are no JSON: ${(cause as Error).message}`);
  }
  throw new UsageError('The parameters are a JSON object, such as {"seconds": 2}');
}

function jsonOrText(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
}
