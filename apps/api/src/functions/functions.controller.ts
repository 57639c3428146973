import { Body, Controller, Get, Param, Put } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { Function, FunctionList, FunctionPath, FunctionRequest } from '@perdure/job/schemas';
import { Caller, type Principal } from '../http/caller.ts';
import { Operation } from '../http/operation.ts';
import { FunctionsService } from './functions.service.ts';

@ApiTags('functions')
@Controller('v1/functions')
export class FunctionsController {
  constructor(private readonly functions: FunctionsService) {}

  @Get()
  @Operation({
    id: 'listFunctions',
    summary: 'What agents can run',
    permission: 'functions.read',
    answers: [{ status: 200, description: 'Every version of every function', schema: FunctionList }],
  })
  async list(@Caller() { tenantId }: Principal): Promise<FunctionList> {
    return { items: await this.functions.list(tenantId) };
  }

  @Get(':name/:version')
  @Operation({
    id: 'getFunction',
    summary: 'One version of a function',
    permission: 'functions.read',
    answers: [{ status: 200, description: 'The function', schema: Function }],
    problems: ['not-found'],
  })
  get(
    @Caller() { tenantId }: Principal,
    @Param({ schema: FunctionPath }) { name, version }: FunctionPath,
  ): Promise<Function> {
    return this.functions.get(tenantId, name, version);
  }

  @Put(':name/:version')
  @Operation({
    id: 'putFunction',
    summary: 'Register a function that HTTP agents serve',
    description:
      'A second time writes over what was said before. It takes the place of one that agents announce.',
    permission: 'functions.write',
    answers: [{ status: 200, description: 'The function', schema: Function }],
    problems: ['payload-too-large', 'unsupported-media-type'],
  })
  put(
    @Caller() caller: Principal,
    @Param({ schema: FunctionPath }) path: FunctionPath,
    @Body({ schema: FunctionRequest }) request: FunctionRequest,
  ): Promise<Function> {
    return this.functions.put(caller, path, request);
  }
}
