import { Injectable } from '@nestjs/common';
import type { ErrorDetail } from '@perdure/job/errors';
import { fileFormat } from '@perdure/job/files-in';
import { patterns } from '@perdure/job/ids';
import type { JsonObject } from '@perdure/job/json';
import { type FunctionRecord, getFunction } from '@perdure/store/read';
import { Ajv2020, type ErrorObject } from 'ajv/dist/2020.js';
import { DatabaseService } from '../database/database.service.ts';
import { pointerOf } from '../http/pointer.ts';
import { Kept } from '../kept.ts';

export type Known = { record: FunctionRecord; check: (parameters: JsonObject) => ErrorDetail[] };

/** A function that an agent has just announced is known here this much later at most. */
const freshMs = 1_000;
const maxCompiled = 1_000;

/** The functions a tenant may use, each with its schema compiled once. */
@Injectable()
export class Catalogue {
  private readonly kept = new Kept<Known | undefined>(freshMs);
  private readonly compiled = new Map<string, Known['check']>();

  constructor(private readonly database: DatabaseService) {}

  /** Without a version the newest. */
  find(tenantId: string, name: string, version?: string): Promise<Known | undefined> {
    return this.kept.get(`${tenantId} ${name}@${version ?? ''}`, async () => {
      const record = await this.database.call((db) => getFunction(db, tenantId, name, version));
      return record && { record, check: this.checkOf(record.inputSchema) };
    });
  }

  private checkOf(schema: JsonObject): Known['check'] {
    const text = JSON.stringify(schema);
    const known = this.compiled.get(text);
    if (known) return known;
    if (this.compiled.size >= maxCompiled) this.compiled.clear();
    const check = compile(schema);
    this.compiled.set(text, check);
    return check;
  }
}

function compile(schema: JsonObject): Known['check'] {
  // An instance for each schema: two functions may use the same `$id`.
  const ajv = new Ajv2020({
    allErrors: true,
    strict: false,
    logger: false,
    formats: { [fileFormat]: patterns.uuid },
  });
  const validate = ajv.compile(schema);
  return (parameters) => (validate(parameters) ? [] : (validate.errors ?? []).slice(0, 100).map(toDetail));
}

/** Where ajv names the object and the property apart, the pointer names the property. */
function toDetail({ instancePath, keyword, params, message }: ErrorObject): ErrorDetail {
  const place = `/parameters${instancePath}`;
  const property: unknown =
    params['missingProperty'] ?? params['additionalProperty'] ?? params['unevaluatedProperty'];
  if (typeof property !== 'string') return { pointer: place, detail: message ?? 'is wrong' };
  const detail = keyword === 'required' ? 'is missing' : 'is not known to the function';
  return { pointer: pointerOf(place, [property]), detail };
}
