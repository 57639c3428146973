import { randomBytes } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** The id of the agent that lives in `home`: made at its first start, and the same ever after. */
export async function agentIdIn(home: string): Promise<string> {
  const path = join(home, 'agent-id');
  await mkdir(home, { recursive: true });
  const fresh = `agent-${randomBytes(4).toString('hex')}`;
  try {
    await writeFile(path, fresh, { flag: 'wx' });
    return fresh;
  } catch (failure) {
    if ((failure as NodeJS.ErrnoException).code !== 'EEXIST') throw failure;
    return (await readFile(path, 'utf8')).trim();
  }
}
