import { Injectable } from '@nestjs/common';
import { PerdureError } from '@perdure/job/errors';
import type { Function } from '@perdure/job/schemas';
import { type FunctionRecord, getFunction, listFunctions } from '@perdure/store/read';
import { DatabaseService } from '../database/database.service.ts';

@Injectable()
export class FunctionsService {
  constructor(private readonly database: DatabaseService) {}

  async list(tenantId: string): Promise<Function[]> {
    const functions = await this.database.call((db) => listFunctions(db, tenantId));
    return functions.map(toFunction);
  }

  async get(tenantId: string, name: string, version: string): Promise<Function> {
    const found = await this.database.call((db) => getFunction(db, tenantId, name, version));
    if (found === undefined)
      throw new PerdureError('not-found', 'There is no such function, or not in this version');
    return toFunction(found);
  }
}

function toFunction(record: FunctionRecord): Function {
  const { name, version, description, inputSchema, outputSchema, result, tool, operatingSystems } = record;
  return { name, version, description, inputSchema, outputSchema, result, tool, operatingSystems };
}
