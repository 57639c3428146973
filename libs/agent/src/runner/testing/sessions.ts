import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll } from '@jest/globals';
import type { JsonObject } from '@perdure/job/json';
import { waitFor } from '../../../../../tests/support/wait.ts';
import {
  type FunctionFailure,
  type LogLine,
  openSession,
  type ProgressReport,
  type Session,
} from '../session.ts';

export const odd = new URL('../../../../../tests/fixtures/functions/odd.ts', import.meta.url).href;
let folder = '';
const open: Session[] = [];

export async function start(functionName: string, pack = odd) {
  const scratch = await mkdtemp(join(folder, 'job-'));
  const session = openSession({ pack, functionName, functionVersion: '1.0.0', scratch });
  open.push(session);
  const lines: LogLine[] = [];
  const progress: ProgressReport[] = [];
  const hooks = {
    onLog: (line: LogLine) => void lines.push(line),
    onProgress: (one: ProgressReport) => void progress.push(one),
  };
  const given = (parameters: JsonObject) => ({ parameters, files: {} });
  return {
    session,
    scratch,
    lines,
    progress,
    hooks,
    texts: () => lines.map(({ text }) => text),
    validate: (parameters: JsonObject = {}) => session.validate(given(parameters), hooks),
    execute: (parameters: JsonObject = {}) => session.execute(given(parameters), hooks),
    /** The failure of `execute`. */
    fail: (parameters: JsonObject = {}) => failureOf(session.execute(given(parameters), hooks)),
    says: (text: string) =>
      waitFor(() => lines.some((line) => line.text === text), { what: `the line '${text}'` }),
  };
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
