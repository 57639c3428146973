#!/usr/bin/env node
import { parseArgs } from 'node:util';
import { checks, only } from './checks.ts';
import { makeClient } from './client.ts';
import { makeKit } from './kit.ts';
import { Broken } from './outcome.ts';
import { counts, report } from './report.ts';
import { run } from './run.ts';

const usage = `Checks a deployment of Perdure against the rules of docs/api.md.

  npx @perdure/conformance --url http://127.0.0.1:3000 --token pk_…

  --url          the address of the API
  --token        a key that may submit and steer jobs; without it, the variable PERDURE_KEY
  --other-token  a key of another tenant, for the rule about foreign jobs
  --only S,U-4   these groups and rules alone
  --timeout 60   how long one rule may take, in seconds
  --json         the report as JSON

An agent must serve the pack "reference". Jobs that the kit makes have the label perdure-conformance; at the end it cancels
those that have not ended. Exit code: 0 every rule that could be tried holds, 1 a rule is broken, 2 nothing could be tried.
`;

class Unusable extends Error {}

function read() {
  const text = { type: 'string' } as const;
  const options = {
    url: text,
    token: text,
    'other-token': text,
    only: text,
    timeout: text,
    json: { type: 'boolean' },
    help: { type: 'boolean' },
  } as const;
  try {
    return parseArgs({ options }).values;
  } catch (error) {
    throw new Unusable((error as Error).message);
  }
}

/** The functions that the deployment offers. Throws where it cannot be asked. */
async function offered(client: ReturnType<typeof makeClient>): Promise<string[]> {
  const answer = await client.ask('/v1/functions').catch((error: unknown) => {
    throw new Unusable(
      `${client.base} cannot be asked: ${error instanceof Broken ? error.came : String(error)}`,
    );
  });
  if (answer.status === 401 || answer.status === 403)
    throw new Unusable(`the key was refused (${answer.status})`);
  if (!Array.isArray(answer.body?.items))
    throw new Unusable(`${client.base} is no Perdure: ${answer.status}`);
  return answer.body.items.map(({ name }: { name: string }) => name);
}

async function main(): Promise<number> {
  const given = read();
  if (given.help === true) {
    console.log(usage);
    return 0;
  }
  const token = given.token ?? process.env['PERDURE_KEY'];
  if (given.url === undefined || !URL.canParse(given.url))
    throw new Unusable('--url is needed: the address of the API');
  if (token === undefined) throw new Unusable('--token is needed: a key');
  const timeout = Number(given.timeout ?? 60);
  if (!(timeout > 0)) throw new Unusable('--timeout is a number of seconds');
  const chosen = given.only === undefined ? checks : only(given.only);
  if (chosen === undefined) throw new Unusable(`--only names a rule that is unknown: ${given.only}`);
  const client = makeClient(given.url, token);
  const kit = makeKit(client, { functions: await offered(client), otherToken: given['other-token'] });
  const outcomes = await run(kit, chosen, timeout);
  const { passed, failed } = counts(outcomes);
  console.log(
    given.json === true
      ? JSON.stringify({ ...counts(outcomes), rules: outcomes }, null, 2)
      : report(outcomes),
  );
  if (failed > 0) return 1;
  return passed > 0 ? 0 : 2;
}

try {
  process.exitCode = await main();
} catch (error) {
  if (!(error instanceof Unusable)) throw error;
  console.error(`${error.message}\n\n${usage}`);
  process.exitCode = 2;
}
