import { Worker } from 'node:worker_threads';

const pollMs = 250;

/**
 * Kills this process and its group as soon as the agent is no longer its parent. In a thread of its own: the event loop,
 * and with it the event `disconnect`, stands still while a function computes or an inference runs.
 * As text, because this starts faster than a module that has to be found and stripped of its types.
 */
export function dieWith(agentPid: number): void {
  const code = `setInterval(() => { if (process.ppid !== ${agentPid}) process.kill(-process.pid, 'SIGKILL'); }, ${pollMs})`;
  new Worker(code, {
    eval: true,
    resourceLimits: { maxOldGenerationSizeMb: 8, maxYoungGenerationSizeMb: 2 },
  }).unref();
}
