import { type ArgumentMetadata, StandardSchemaValidationPipe } from '@nestjs/common';
import { type ErrorDetail, PerdureError } from '@perdure/job/errors';
import type { z } from 'zod';
import { pointerOf } from './pointer.ts';
import { unstorableIn } from './storable.ts';

type Issue = Pick<z.core.$ZodIssue, 'message' | 'path'> & {
  code?: string;
  keys?: string[];
  errors?: unknown;
};

/** What the pipe throws inside, before it knows where the value came from. */
class Issues extends Error {
  constructor(readonly issues: readonly Issue[]) {
    super('the schema refuses it');
  }
}

/** Holds bodies, queries and path parameters against their zod schema; names every place that is wrong. */
export class SchemaPipe extends StandardSchemaValidationPipe {
  constructor() {
    super({ exceptionFactory: (issues) => new Issues(issues as readonly Issue[]) });
  }

  override async transform<T>(value: T, metadata: ArgumentMetadata): Promise<T> {
    // The parser of bodies has looked at those.
    if (metadata.type === 'query' || metadata.type === 'param') refuseUnstorable(value, metadata.type);
    try {
      return await super.transform(value, metadata);
    } catch (error) {
      if (!(error instanceof Issues)) throw error;
      throw schemaError(error.issues, prefixes[metadata.type]);
    }
  }
}

function refuseUnstorable(value: unknown, type: 'query' | 'param'): void {
  const details = unstorableIn(value, prefixes[type]);
  if (details.length > 0) throw new PerdureError('invalid-request', summary(details), { details });
}

/** What is wrong with a value that its schema refuses, every place named. */
export function schemaError(issues: readonly Issue[], prefix = ''): PerdureError {
  const details = issues.flatMap((issue) => detailsOf(issue, prefix));
  return new PerdureError('invalid-request', summary(details), { details });
}

const prefixes: Record<string, string> = { body: '', query: 'query', param: 'path', custom: 'header' };

function detailsOf(issue: Issue, prefix: string): ErrorDetail[] {
  const place = pointerOf(prefix, issue.path);
  if (issue.code === 'unrecognized_keys' && issue.keys) {
    return issue.keys.map((key) => ({ pointer: pointerOf(place, [key]), detail: 'is not a known field' }));
  }
  const missing = issue.code === 'invalid_type' && issue.message.endsWith('received undefined');
  return [{ pointer: place, detail: missing ? 'is missing' : issue.message }];
}

function summary(details: readonly ErrorDetail[]): string {
  const [first] = details;
  const more = details.length > 1 ? ` (and ${details.length - 1} more)` : '';
  return first
    ? `${first.pointer === '' ? 'The body' : first.pointer}: ${first.detail}${more}`
    : 'The request breaks the schema';
}
