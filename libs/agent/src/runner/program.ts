import type { Readable } from 'node:stream';
import type { CommandDefinition } from '@perdure/functions';
import { execa } from 'execa';
import { offerToKernel } from './proc.ts';
import { type ProcessGroup, processGroup } from './process-group.ts';
import { endWithAgent } from './reaper.ts';

export type Program = {
  group: ProcessGroup;
  stdout: Readable;
  stderr: Readable;
  /** To be called when the group has gone. */
  forget: () => void;
};

/** Starts a declared program: without a shell, in a process group of its own, with the declared environment and no other. */
export function startProgram(
  { program, env }: Pick<CommandDefinition, 'program' | 'env'>,
  args: readonly string[],
  scratch: string,
): Program {
  const subprocess = execa(program, args, {
    cwd: scratch,
    env: { ...env, TMPDIR: scratch },
    extendEnv: false,
    shell: false,
    preferLocal: false,
    stdio: ['ignore', 'pipe', 'pipe'],
    buffer: false,
    detached: true,
    cleanup: false,
    reject: false,
  });
  const group = processGroup(subprocess);
  if (group.pid !== undefined) offerToKernel(String(group.pid));
  return {
    group,
    forget: group.pid === undefined ? () => {} : endWithAgent(group.pid),
    stdout: subprocess.stdout.setEncoding('utf8'),
    stderr: subprocess.stderr.setEncoding('utf8'),
  };
}
