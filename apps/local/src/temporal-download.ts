import { TestWorkflowEnvironment } from '@temporalio/testing';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';

/** Has the Temporal SDK download its dev server into the folder named on the command line, and prints the program's path. */
const [, , downloadDir = '.'] = process.argv;
const environment = await TestWorkflowEnvironment.createLocal({
  server: { executable: { type: 'cached-download', downloadDir } },
});
await environment.teardown();
const [program] = (await readdir(downloadDir)).filter((file) => file.startsWith('temporal'));
if (program === undefined) throw new Error('The SDK left no program behind');
console.log(join(downloadDir, program));
