import { Injectable } from '@nestjs/common';
import { PerdureError } from '@perdure/job/errors';
import type { JsonObject } from '@perdure/job/json';
import { hidesModel } from '@perdure/job/secrets';
import type { Function, FunctionPath, FunctionRequest } from '@perdure/job/schemas';
import { registerFunctions } from '@perdure/store/admin';
import { type FunctionRecord, getFunction, listFunctions } from '@perdure/store/read';
import { functionId } from '../audit/act.ts';
import { DatabaseService } from '../database/database.service.ts';
import type { Principal } from '../http/caller.ts';
import { invalid } from '../http/refusal.ts';
import { compile } from './catalogue.ts';

@Injectable()
export class FunctionsService {
  constructor(private readonly database: DatabaseService) {}

  async list(tenantId: string): Promise<Function[]> {
    const functions = await this.database.call(tenantId, (db) => listFunctions(db, tenantId));
    return functions.map(toFunction);
  }

  async get(tenantId: string, name: string, version: string): Promise<Function> {
    const found = await this.database.call(tenantId, (db) => getFunction(db, tenantId, name, version));
    if (found === undefined)
      throw new PerdureError('not-found', 'There is no such function, or not in this version');
    return toFunction(found);
  }

  /** For functions that only HTTP agents serve; agents that run Perdure announce their own. */
  async put(caller: Principal, { name, version }: FunctionPath, request: FunctionRequest): Promise<Function> {
    const { description, inputSchema, outputSchema = null, result = null, tool = null } = request;
    checkSchema(inputSchema, '/inputSchema');
    if (hidesModel(inputSchema)) throw invalid('/inputSchema', noSecretModel);
    if (outputSchema !== null) checkSchema(outputSchema, '/outputSchema');
    const operatingSystems = request.operatingSystems ?? null;
    const one = { name, version, description, inputSchema, outputSchema, result, tool, operatingSystems };
    await this.database.change(
      caller,
      (db) => registerFunctions(db, [{ tenantId: caller.tenantId, ...one }]),
      () => ({ kind: 'function', id: functionId(name, version) }),
    );
    return one;
  }
}

const noSecretModel = 'marks `model` as writeOnly: jobs are found by it, so that it is no secret';

function checkSchema(schema: JsonObject, pointer: string): void {
  if (schema['type'] !== 'object') throw invalid(pointer, "has the type 'object'");
  try {
    compile(schema, pointer);
  } catch (error) {
    throw invalid(
      pointer,
      `is no JSON Schema 2020-12: ${error instanceof Error ? error.message : 'unknown reason'}`,
    );
  }
}

function toFunction(record: FunctionRecord): Function {
  const { name, version, description, inputSchema, outputSchema, result, tool, operatingSystems } = record;
  return { name, version, description, inputSchema, outputSchema, result, tool, operatingSystems };
}
