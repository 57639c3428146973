import { mkdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { FunctionDefinition } from '@perdure/functions';
import { PerdureError } from '@perdure/job/errors';
import type { Outcome, OutputFile } from '@perdure/job/event';
import type { Offer } from '@perdure/job/queues';
import { maxInlineBytes } from '@perdure/job/start';
import type { Storage } from '@perdure/storage';
import type { Database } from '@perdure/store/database';
import { claim } from './claim.ts';
import type { AgentActivities } from './contract.ts';
import type { HeldJob, Session, Slots } from './held-job.ts';
import { fetchInputs } from './inputs.ts';
import { openLogWriter } from './log-writer.ts';
import { storeResult } from './results.ts';
import { runStage } from './stage.ts';

export type {
  HeldJob,
  ProducedFile,
  Progress,
  Session,
  SessionHooks,
  SessionInput,
  Slots,
  WrittenLine,
} from './held-job.ts';

export type AgentDeps = {
  agentId: string;
  db: Database;
  storage: Storage;
  slots: Slots;
  /** What this agent offers now: its pools may change. */
  offer(): Offer;
  /** What this agent can run, by `<name>@<version>`. */
  functions: ReadonlyMap<string, FunctionDefinition>;
  openSession(job: { definition: FunctionDefinition; scratch: string }): Session;
  /** Scratch folders are made in here. */
  scratchRoot: string;
  /** A stage that does not beat for so long is lost. */
  leaseMs: number;
  /** A larger file is not uploaded. */
  maxFileBytes: number;
  /** Told when a job could not run because the agent has no room left: it should take none until it has. */
  onUnfit(): void;
};

/** The activities of one agent: the claim, and the stages of what it claimed. */
export function createAgentActivities(deps: AgentDeps): AgentActivities {
  return {
    claim: (request) => claim(deps, request),
    validate: (request) =>
      runStage(
        deps,
        request,
        async (job) => {
          const log = openLogWriter(deps.db, job);
          const session = await sessionOf(deps, job);
          await session.validate(await inputsOf(deps, job), log).finally(log.flush);
        },
        () => true,
      ),
    execute: (request) =>
      runStage(
        deps,
        request,
        (job) => execute(deps, job),
        (executed) => executed.outcome === null,
      ),
    upload: (request) =>
      runStage(
        deps,
        request,
        (job) => upload(deps, job),
        () => false,
      ),
  };
}

async function execute(
  deps: AgentDeps,
  job: HeldJob,
): Promise<{ executedAt: string; outcome: Outcome | null }> {
  const session = await sessionOf(deps, job);
  const log = openLogWriter(deps.db, job);
  const inputs = await inputsOf(deps, job);
  const produced = await session.execute(inputs, log).finally(log.flush);
  const executedAt = new Date().toISOString();
  const large =
    produced.output !== null && Buffer.byteLength(JSON.stringify(produced.output)) > maxInlineBytes;
  if (produced.files.length === 0 && !large) {
    return { executedAt, outcome: { output: produced.output, files: [], resultFile: null } };
  }
  job.produced = large ? await outputAsFile(job, produced) : produced;
  return { executedAt, outcome: null };
}

/** An output that is too large for a history becomes a file, and that file the result. */
async function outputAsFile(
  { scratch }: HeldJob,
  { output, files }: NonNullable<HeldJob['produced']>,
): Promise<NonNullable<HeldJob['produced']>> {
  // An inline function has no folder of its own.
  await mkdir(scratch, { recursive: true });
  const path = join(scratch, 'output.json');
  await writeFile(path, JSON.stringify(output));
  return {
    output: null,
    files: [
      // A name stands for one file.
      ...files.filter(({ name }) => name !== 'output.json'),
      { name: 'output.json', mediaType: 'application/json', path, size: (await stat(path)).size },
    ],
  };
}

async function upload(
  { db, storage, maxFileBytes }: AgentDeps,
  { produced, definition, request }: HeldJob,
): Promise<Outcome> {
  if (produced === undefined) throw new PerdureError('internal-error', 'there is nothing to upload');
  const large = produced.files.find(({ size }) => size > maxFileBytes);
  if (large !== undefined)
    throw new PerdureError(
      'resource-limit',
      `the file '${large.name}' has ${large.size} bytes; ${maxFileBytes} are allowed (MAX_FILE_BYTES)`,
    );
  const files: OutputFile[] = [];
  for (const file of produced.files) files.push(await storeResult({ db, storage }, request, file));
  // A function that declares no output has none that was too large.
  const inFile = produced.output === null && definition.output !== null;
  const declared = inFile ? 'output.json' : definition.result;
  return {
    output: produced.output,
    files,
    resultFile: files.some(({ name }) => name === declared) ? declared : null,
  };
}

async function sessionOf(deps: AgentDeps, job: HeldJob): Promise<Session> {
  if (job.session === undefined) {
    if (job.definition.isolation !== 'inline') await mkdir(job.scratch, { recursive: true });
    job.session = deps.openSession({ definition: job.definition, scratch: job.scratch });
  }
  return job.session;
}

async function inputsOf(deps: AgentDeps, job: HeldJob) {
  job.inputs ??= await fetchInputs(deps, { ...job, start: job.request.start });
  return job.inputs;
}
