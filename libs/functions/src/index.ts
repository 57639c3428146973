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
export type { FunctionDefinition, RetryPolicy } from './definition.ts';
export { FatalError, InputError, type InputErrorCode, OutputError, RetryableError } from './errors.ts';
export { checkParameters, inWords, parseOutput, parseParameters } from './parse.ts';
