import type { AgentDetails, KeyRequest } from '@perdure/client';
import type { Command } from 'commander';
import { contextOf } from './context.ts';
import { say, UsageError } from './exit.ts';
import { print, printFields, printJson, printTable } from './output.ts';
import { nameAndVersion } from './parameters.ts';

export function addAgents(program: Command): void {
  const agents = program.command('agents').description('those who run jobs');
  agents
    .command('list')
    .description('list them')
    .action(async (_options: object, command: Command) => {
      const { perdure, json, signal } = await contextOf(command);
      const items = await perdure.agents.list({ signal });
      if (json) return printJson({ items });
      await printTable(
        ['ID', 'STATUS', 'BUSY', 'KIND', 'POOLS', 'LAST HEARD OF'],
        items.map((one) => [
          one.id,
          one.status,
          `${one.busy}/${one.slots}`,
          one.kind,
          one.pools.join(','),
          one.lastBeatAt,
        ]),
      );
    });
  agents
    .command('get <id>')
    .description('an agent, and what it does')
    .action(async (id: string, _options: object, command: Command) => {
      const { perdure, json, signal } = await contextOf(command);
      const agent = await perdure.agents.get(id, { signal });
      await (json ? printJson(agent) : printFields(fieldsOf(agent)));
    });
  for (const [verb, what] of [
    ['drain', 'let it finish what it has, and take nothing new'],
    ['resume', 'let it take jobs again'],
  ] as const) {
    agents
      .command(`${verb} <id>`)
      .description(what)
      .action(async (id: string, _options: object, command: Command) => {
        const { perdure, json, signal } = await contextOf(command);
        const agent = await perdure.agents[verb](id, { signal });
        const asked = agent.drainRequestedAt === null ? '' : ', drain asked for';
        await (json ? printJson(agent) : print(`${agent.status}${asked}`));
      });
  }
}

function fieldsOf(agent: AgentDetails) {
  return {
    id: agent.id,
    name: agent.displayName,
    status: agent.status,
    kind: agent.kind,
    slots: `${agent.busy} of ${agent.slots} busy`,
    pools: agent.pools.join(', '),
    functions: agent.functions.map(({ name, version }) => `${name}@${version}`).join(', '),
    tools: agent.tools.map(({ name, version }) => `${name}@${version}`).join(', '),
    system: agent.operatingSystem,
    jobs: agent.jobs.map(({ id, status }) => `${id} ${status}`).join(', '),
    losses: agent.losses,
    heard: agent.lastBeatAt,
  };
}

export function addFunctions(program: Command): void {
  const functions = program.command('functions').description('what agents can run');
  functions
    .command('list')
    .description('list them')
    .action(async (_options: object, command: Command) => {
      const { perdure, json, signal } = await contextOf(command);
      const items = await perdure.functions.list({ signal });
      if (json) return printJson({ items });
      await printTable(
        ['FUNCTION', 'DESCRIPTION'],
        items.map(({ name, version, description }) => [`${name}@${version}`, description]),
      );
    });
  functions
    .command('get <function>')
    .description('one function, as name or name@version, with the JSON Schema of its parameters')
    .action(async (given: string, _options: object, command: Command) => {
      const { perdure, signal } = await contextOf(command);
      const { name, version } = nameAndVersion(given);
      const newest = (await perdure.functions.list({ signal })).find((one) => one.name === name)?.version;
      const wanted = version ?? newest;
      if (wanted === undefined)
        throw new UsageError(`There is no function '${name}': see perdure functions list`);
      await printJson(await perdure.functions.get(name, wanted, { signal }));
    });
}

export function addKeys(program: Command): void {
  const keys = program.command('keys').description('API keys');
  keys
    .command('list')
    .description('list them, without their secrets')
    .action(async (_options: object, command: Command) => {
      const { perdure, json, signal } = await contextOf(command);
      const items = await perdure.keys.list({ signal });
      if (json) return printJson({ items });
      await printTable(
        ['ID', 'NAME', 'ROLE', 'SPEAKS FOR', 'KEY', 'STATUS', 'LAST USED'],
        items.map(
          ({ id, name, role, userId, agentId, prefix, lastFour, revokedAt, expiresAt, lastUsedAt }) => [
            id,
            name,
            role,
            userId ?? agentId,
            `${prefix}…${lastFour}`,
            revokedAt !== null ? 'revoked' : expiresAt === null ? 'good' : `until ${expiresAt}`,
            lastUsedAt,
          ],
        ),
      );
    });
  keys
    .command('create <name>')
    .description('make a key; it is shown this once, on stdout')
    .option('--role <role>', 'what it may do: admin, operator, member, agent')
    .option('--user <id>', 'it speaks for this user; for you without it')
    .option('--agent <id>', 'it speaks for this agent only')
    .option('--expires <time>', 'when it stops working')
    .action(
      async (
        name: string,
        options: { role?: KeyRequest['role']; user?: string; agent?: string; expires?: string },
        command: Command,
      ) => {
        const { perdure, json, signal } = await contextOf(command);
        const { role, user: userId, agent: agentId, expires: expiresAt } = options;
        const key = await perdure.keys.create({ name, role, userId, agentId, expiresAt }, { signal });
        if (json) return printJson(key);
        say(`Key ${key.id} (${key.role}). It is not shown again:`);
        await print(key.key);
      },
    );
  keys
    .command('revoke <id>')
    .description('make a key useless')
    .action(async (id: string, _options: object, command: Command) => {
      const { perdure, signal } = await contextOf(command);
      await perdure.keys.revoke(id, { signal });
      say(`Key ${id} is revoked`);
    });
}
