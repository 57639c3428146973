import { fileURLToPath } from 'node:url';
import { bundleWorkflowCode, type WorkflowBundleWithSourceMap } from '@temporalio/worker';

/** Where the payload converter is, for clients and workers: both must be able to read whatever an operator typed. */
export const dataConverter = { payloadConverterPath: pathOf('@perdure/workflows/payload-converter') };

const workflowsPath = pathOf('@perdure/workflows/workflows');

/** The code of the workflows, packed for Temporal's sandbox (about two seconds). */
export function bundleWorkflows(): Promise<WorkflowBundleWithSourceMap> {
  return bundleWorkflowCode({ workflowsPath, ...dataConverter, logger: quiet });
}

const quiet = {
  log: nothing,
  trace: nothing,
  debug: nothing,
  info: nothing,
  warn: console.warn,
  error: console.error,
};

function nothing(): void {}

function pathOf(door: string): string {
  return fileURLToPath(import.meta.resolve(door));
}
