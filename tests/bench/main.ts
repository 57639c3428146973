import { mkdir, writeFile } from 'node:fs/promises';
import { buildApi } from '../../apps/local/src/api-build.ts';
import { type Plan, planOf, usage } from './arguments.ts';
import { measure, say } from './measure.ts';
import { openPrograms, type Programs } from './programs.ts';
import { print, type Results } from './report.ts';
import { makeFolder, removeFolder, type Servers, startServers } from './servers.ts';

/** Everything that is started is ended again, and its folder removed, however the measurement ends. */
async function bench(plan: Plan, signal: AbortSignal): Promise<Results> {
  if (plan.cpuProfiles !== undefined) await mkdir(plan.cpuProfiles, { recursive: true });
  await buildApi(signal);
  const folder = await makeFolder();
  let programs: Programs | undefined;
  let servers: Servers | undefined;
  try {
    say('Starting PostgreSQL and Temporal');
    servers = await startServers(folder, signal);
    programs = openPrograms(servers, plan.cpuProfiles);
    const stopped = Promise.withResolvers<never>();
    signal.addEventListener('abort', () => stopped.reject(signal.reason as Error));
    return await Promise.race([measure(plan, servers, programs, signal), programs.failed, stopped.promise]);
  } finally {
    await programs?.stop();
    await Promise.all([servers?.temporal.stop(5_000), servers?.postgres.stop(5_000)]);
    await removeFolder(folder);
  }
}

async function main(): Promise<number> {
  let plan: Plan;
  try {
    plan = planOf(process.argv.slice(2));
  } catch (failure) {
    say(`${(failure as Error).message}\n${usage}`);
    return 2;
  }
  const interrupted = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(name, () => interrupted.abort(new Error(`interrupted by ${name}`)));
  }
  try {
    const results = await bench(plan, interrupted.signal);
    console.log(print(results));
    if (plan.json !== undefined)
      await writeFile(plan.json, `${JSON.stringify({ plan, ...results }, null, 2)}\n`);
    return 0;
  } catch (failure) {
    if (interrupted.signal.aborted) say(`The benchmark was ${(interrupted.signal.reason as Error).message}`);
    else console.error(failure);
    return 1;
  }
}

// Calls that were cut off may still hold connections open.
process.exit(await main());
