import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll } from '@jest/globals';
import type { FunctionDefinition } from '@perdure/functions';
import { commandFunctions } from '@perdure/functions/command';
import { loadPack } from '@perdure/functions/packs';
import type { JsonObject } from '@perdure/job/json';
import { waitFor } from '../../../../../tests/support/wait.ts';
import {
  type FunctionFailure,
  type LogLine,
  openSession,
  type ProgressReport,
  type Session,
  type SessionOptions,
  type StageInput,
} from '../session.ts';

export const odd = new URL('../../../../../tests/fixtures/functions/odd.ts', import.meta.url).href;
let folder = '';
const open: Session[] = [];

type Options = { pack?: string; definition?: FunctionDefinition } & Pick<
  SessionOptions,
  'limits' | 'sampler'
>;

/** A session of a function of a pack (by name; `odd` is the pack when not said), or of a definition of one's own. */
export async function start(functionName: string, { pack = odd, definition, ...rest }: Options = {}) {
  const scratch = await mkdtemp(join(folder, 'job-'));
  definition ??= await functionOf(pack, functionName);
  const session = openSession({ pack, definition, scratch, ...rest });
  open.push(session);
  const lines: LogLine[] = [];
  const progress: ProgressReport[] = [];
  const hooks = {
    onLog: (line: LogLine) => void lines.push(line),
    onProgress: (one: ProgressReport) => void progress.push(one),
  };
  const given = (parameters: JsonObject, files: StageInput['files'] = {}) => ({ parameters, files });
  return {
    session,
    scratch,
    lines,
    progress,
    hooks,
    texts: () => lines.map(({ text }) => text),
    validate: (parameters: JsonObject = {}) => session.validate(given(parameters), hooks),
    execute: (parameters: JsonObject = {}, files: StageInput['files'] = {}) =>
      session.execute(given(parameters, files), hooks),
    /** The failure of `execute`. */
    fail: (parameters: JsonObject = {}) => failureOf(session.execute(given(parameters), hooks)),
    says: (text: string) =>
      waitFor(() => lines.some((line) => line.text === text), { what: `the line '${text}'` }),
  };
}

/** A session of a program that an operator has declared so. */
export function startCommand(declared: object, rest: Options = {}) {
  const declaration = {
    name: 'tool',
    version: '1.0.0',
    description: 'A tool.',
    args: [],
    parameters: { type: 'object', properties: {} },
    ...declared,
  };
  const [definition] = commandFunctions([declaration], { file: '/nowhere/agent.yaml', environment: {} });
  return start('tool', { pack: 'command', definition, ...rest });
}

/** The same, of a text for `sh`. */
export function startScript(script: string, declared: object = {}, rest: Options = {}) {
  return startCommand({ program: 'sh', args: ['-c', script], ...declared }, rest);
}

export async function functionOf(pack: string, functionName: string): Promise<FunctionDefinition> {
  const found = (await loadPack(pack)).find(({ name }) => name === functionName);
  if (!found) throw new Error(`${pack} has no function ${functionName}`);
  return found;
}

export async function failureOf(stage: Promise<unknown>): Promise<FunctionFailure> {
  return stage.then(
    () => Promise.reject(new Error('no failure')),
    (failure: FunctionFailure) => failure,
  );
}

/** Gives a test file a folder, and ends what its sessions left. */
export function manageSessions(): void {
  beforeAll(async () => void (folder = await mkdtemp(join(tmpdir(), 'session-'))));
  afterEach(async () => void (await Promise.all(open.splice(0).map((session) => session.kill()))));
  afterAll(() => rm(folder, { recursive: true }));
}

export function sessionFolder(): string {
  return folder;
}
