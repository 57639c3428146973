// Runs before anything is installed, on Node 20 and newer: plain JavaScript, Node's own modules only.
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const oldest = 20;
const wanted = 24;

/**
 * Installs the packages unless those of this very lock file are installed, and answers the path of the Node that runs Perdure.
 * Ends the process with a message in plain words when that is not possible.
 */
export async function prepare() {
  if (majorOf(process.versions.node) < oldest) {
    giveUp(`Perdure needs Node ${oldest} or newer to start; this is ${process.versions.node}.`);
  }
  await install();
  const own = join(root, 'node_modules', '.bin', 'node');
  if (existsSync(own)) return own;
  if (majorOf(process.versions.node) >= wanted) return process.execPath;
  return giveUp(
    `Perdure runs on Node ${wanted}, and there is no package of it for ${process.platform}-${process.arch}. Install Node ${wanted}, then start again.`,
  );
}

/**
 * Runs a program in place of this process: its signals are passed on, and its end is answered as an exit code. The program sees
 * its channel close when this process is killed.
 * @param {string} command
 * @param {readonly string[]} args
 * @param {NodeJS.ProcessEnv} [env]
 * @returns {Promise<number>}
 */
export function runInPlace(command, args, env = process.env) {
  const child = spawn(command, args, { cwd: root, env, stdio: ['inherit', 'inherit', 'inherit', 'ipc'] });
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'];
  const passOn = (signal) => child.kill(signal);
  for (const signal of signals) process.on(signal, passOn);
  return new Promise((settle) => {
    child.once('error', (error) => {
      console.error(`${command} cannot be started: ${error.message}`);
      settle(1);
    });
    child.once('exit', (code, signal) => {
      for (const one of signals) process.off(one, passOn);
      settle(code ?? (signal === 'SIGINT' ? 130 : 1));
    });
  });
}

async function install() {
  const marker = join(root, 'node_modules', '.perdure-installed');
  if (existsSync(marker) && readFileSync(marker, 'utf8') === fingerprint()) return;
  console.log('Installing the packages (when they have changed; takes about half a minute) …');
  rmSync(marker, { force: true });
  const npm = process.env.npm_execpath?.endsWith('.js')
    ? [process.execPath, process.env.npm_execpath]
    : [process.platform === 'win32' ? 'npm.cmd' : 'npm'];
  const [command, ...before] = npm;
  const began = Date.now();
  // --no-save: another npm's notation of the lock file is not the user's change.
  const code = await runInPlace(command, [
    ...before,
    'install',
    '--no-save',
    '--no-audit',
    '--no-fund',
    '--loglevel=error',
  ]);
  if (code !== 0)
    giveUp('The packages could not be installed; npm says why above. Mend that, then start again.');
  mkdirSync(dirname(marker), { recursive: true });
  writeFileSync(marker, fingerprint());
  console.log(`Installed in ${Math.round((Date.now() - began) / 1000)} s.`);
}

/** What is to be installed, and for what: a folder copied to another kind of machine is installed anew. */
function fingerprint() {
  const hash = createHash('sha256').update(`${process.platform}-${process.arch}\n`);
  for (const file of ['package.json', 'package-lock.json']) hash.update(readFileSync(join(root, file)));
  return hash.digest('hex');
}

function majorOf(version) {
  return Number(version.split('.')[0]);
}

function giveUp(message) {
  console.error(message);
  process.exit(1);
}
