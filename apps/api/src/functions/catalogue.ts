import { Injectable } from '@nestjs/common';
import type { ErrorDetail } from '@perdure/job/errors';
import { fileFormat } from '@perdure/job/files-in';
import { patterns } from '@perdure/job/ids';
import type { JsonObject } from '@perdure/job/json';
import { type Hidden, secretsOf } from '@perdure/job/secrets';
import { type FunctionRecord, getFunction } from '@perdure/store/read';
import { Ajv2020, type ErrorObject } from 'ajv/dist/2020.js';
import { DatabaseService } from '../database/database.service.ts';
import { pointerOf } from '../http/pointer.ts';
import { Kept } from '../kept.ts';

type Check = (value: JsonObject) => ErrorDetail[];
export type Known = {
  record: FunctionRecord;
  check: Check;
  checkOutput: Check;
  /** What of the parameters may be seen. */
  hide: (parameters: JsonObject) => Hidden;
};

/** A function that an agent has just announced is known here this much later at most. */
const freshMs = 1_000;
const maxCompiled = 1_000;

/** The functions a tenant may use, each with its schema compiled once. */
@Injectable()
export class Catalogue {
  private readonly kept = new Kept<Known | undefined>(freshMs);
  private readonly compiled = new Map<string, Check>();

  constructor(private readonly database: DatabaseService) {}

  /** Without a version the newest. */
  find(tenantId: string, name: string, version?: string): Promise<Known | undefined> {
    return this.kept.get(`${tenantId} ${name}@${version ?? ''}`, async () => {
      const record = await this.database.call(tenantId, (db) => getFunction(db, tenantId, name, version));
      if (record === undefined) return undefined;
      const { inputSchema, outputSchema } = record;
      const checkOutput = outputSchema === null ? anything : this.checkOf(outputSchema, '/output');
      const check = this.checkOf(inputSchema, '/parameters');
      return { record, check, checkOutput, hide: secretsOf(inputSchema) };
    });
  }

  private checkOf(schema: JsonObject, place: string): Check {
    const text = place + JSON.stringify(schema);
    const known = this.compiled.get(text);
    if (known) return known;
    if (this.compiled.size >= maxCompiled) this.compiled.clear();
    const check = compile(schema, place);
    this.compiled.set(text, check);
    return check;
  }
}

const anything: Check = () => [];

/** Throws when this is no JSON Schema. */
export function compile(schema: JsonObject, place: string): Check {
  // An instance for each schema: two functions may use the same `$id`.
  const ajv = new Ajv2020({
    allErrors: true,
    strict: false,
    logger: false,
    formats: { [fileFormat]: patterns.uuid },
  });
  const validate = ajv.compile(schema);
  return (value) =>
    validate(value) ? [] : (validate.errors ?? []).slice(0, 100).map((error) => toDetail(error, place));
}

/** Where ajv names the object and the property apart, the pointer names the property. */
function toDetail({ instancePath, keyword, params, message }: ErrorObject, within: string): ErrorDetail {
  const place = `${within}${instancePath}`;
  const property: unknown =
    params['missingProperty'] ?? params['additionalProperty'] ?? params['unevaluatedProperty'];
  if (typeof property !== 'string') return { pointer: place, detail: message ?? 'is wrong' };
  const detail = keyword === 'required' ? 'is missing' : 'is not known to the function';
  return { pointer: pointerOf(place, [property]), detail };
}
