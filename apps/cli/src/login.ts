import { isCancel, password } from '@clack/prompts';
import { Perdure } from '@perdure/client';
import type { Command } from 'commander';
import { type GlobalOptions, signal } from './context.ts';
import { environment } from './environment.ts';
import { Interrupted, say, UsageError } from './exit.ts';
import { printJson, printTable } from './output.ts';
import { readProfiles, writeProfiles } from './profiles.ts';

export function addLogin(program: Command): void {
  program
    .command('login')
    .description('keep the URL of an API and a key for it; the key is asked for, or read from stdin')
    .action(async (_options: object, command: Command) => {
      const { profile = 'default', url = environment().url } = command.optsWithGlobals<GlobalOptions>();
      if (url === undefined || !URL.canParse(url))
        throw new UsageError('Say where the API is: --url https://…');
      const token = await readKey();
      const { name, role } = await new Perdure({ url, token, retries: 3 }).me({ signal });
      const { profiles } = await readProfiles();
      await writeProfiles({ current: profile, profiles: { ...profiles, [profile]: { url, token } } });
      say(`Profile '${profile}': ${url}, with the key '${name}' (${role})`);
    });

  const profiles = program.command('profiles').description('the APIs that are known');
  profiles
    .command('list', { isDefault: true })
    .description('list them')
    .action(async (_options: object, command: Command) => {
      const { current, profiles } = await readProfiles();
      const items = Object.entries(profiles).map(([name, { url }]) => ({
        name,
        url,
        current: name === current,
      }));
      if (command.optsWithGlobals<GlobalOptions>().json === true) return printJson({ items });
      await printTable(
        ['NAME', 'URL', 'CURRENT'],
        items.map((one) => [one.name, one.url, one.current ? 'yes' : '']),
      );
    });
  profiles
    .command('use <name>')
    .description('use this one from now on')
    .action(async (name: string) => {
      const { profiles } = await readProfiles();
      if (profiles[name] === undefined) throw new UsageError(`There is no profile '${name}'`);
      await writeProfiles({ current: name, profiles });
    });
  profiles
    .command('remove <name>')
    .description('forget this one and its key')
    .action(async (name: string) => {
      const { current, profiles } = await readProfiles();
      if (profiles[name] === undefined) throw new UsageError(`There is no profile '${name}'`);
      const { [name]: _forgotten, ...others } = profiles;
      await writeProfiles({ current, profiles: others });
    });
}

/** Never an argument: those stand in the history of the shell, and in the list of processes. */
async function readKey(): Promise<string> {
  if (process.stdin.isTTY) {
    const answer = await password({ message: 'API key', output: process.stderr, signal });
    if (isCancel(answer)) throw new Interrupted();
    return answer.trim();
  }
  const chunks: string[] = [];
  for await (const chunk of process.stdin.setEncoding('utf8')) chunks.push(String(chunk));
  const key = chunks.join('').trim();
  if (!/^[\x21-\x7e]+$/.test(key)) throw new UsageError('Give the API key on stdin: perdure login < file');
  return key;
}
