export {
  type Context,
  fileId,
  type Log,
  type LogLevel,
  pathOf,
  type Progress,
  type ProducedFile,
} from './context.ts';
export { defineFunction } from './define.ts';
export type {
  CodeDefinition,
  CommandDefinition,
  FunctionDefinition,
  FunctionLimits,
  RetryPolicy,
} from './definition.ts';
export { defaultEnvironment } from './environment.ts';
export {
  FatalError,
  InputError,
  type InputErrorCode,
  isOutOfSpace,
  OutputError,
  RetryableError,
} from './errors.ts';
export { checkParameters, inWords, parseOutput, parseParameters } from './parse.ts';
