import { totalmem } from 'node:os';
import type { FunctionDefinition } from '@perdure/functions';

/** What one job may use. Memory and scratch folder are those of its processes; an inline function has none. */
export type Limits = {
  memoryMiB: number;
  /** With the files that were fetched for it. */
  scratchMiB: number;
  /** Of one stage. */
  logLines: number;
};

const mebibyte = 1024 * 1024;
// In a container this is the container's: `totalmem` alone is the machine's.
const machineMiB = Math.min(totalmem(), process.constrainedMemory() || Infinity) / mebibyte;

const builtIn: Limits = {
  memoryMiB: Math.max(1_024, Math.floor(machineMiB / 2)),
  scratchMiB: 20 * 1_024,
  logLines: 100_000,
};

/** What the function says goes before what the agent's operator says, and that before what is built in. */
export function limitsFor(
  { limits }: Pick<FunctionDefinition, 'limits'>,
  agent: Partial<Limits> = {},
): Limits {
  return {
    memoryMiB: limits.memoryMiB ?? agent.memoryMiB ?? builtIn.memoryMiB,
    scratchMiB: limits.scratchMiB ?? agent.scratchMiB ?? builtIn.scratchMiB,
    logLines: agent.logLines ?? builtIn.logLines,
  };
}
