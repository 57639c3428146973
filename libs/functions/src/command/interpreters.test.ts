import { expect, test } from '@jest/globals';
import { aDeclaration, problemsIn } from './testing/declarations.ts';

const parameters = { type: 'object', properties: { x: { type: 'string' } }, required: ['x'] };
const problems = (program: string, ...args: string[]) =>
  problemsIn([aDeclaration({ program, args, parameters, freeText: [] })]);

test.each([
  ['sh', '-c', '{{x}}'],
  ['/bin/bash', '-lc', '{{x}}'],
  ['bash', '-c', 'echo {{x}}'],
  ['bash', '-c', '-e', '{{x}}'],
  ['bash', '-c', '-o', 'posix', '{{x}}'],
  ['busybox', 'sh', '-c', '{{x}}'],
  ['env', 'bash', '-c', '{{x}}'],
  ['timeout', '10', 'sh', '-c', '{{x}}'],
  ['python3.12', '-c', '{{x}}'],
  ['python3', '-I', '-Bc', '{{x}}'],
  ['Python3.exe', '-c', '{{x}}'],
  ['node', '-e', '{{x}}'],
  ['node', '-pe', '{{x}}'],
  ['node', '--eval={{x}}'],
  ['node', '--print', '{{x}}'],
  ['deno', 'eval', '{{x}}'],
  ['perl', '-lane', '{{x}}'],
  ['ruby', '-e', '{{x}}'],
  ['php', '-r', '{{x}}'],
  ['pwsh', '-NoProfile', '-Command', '{{x}}'],
  ['pwsh', '-Command', 'echo', '{{x}}'],
  ['powershell.exe', '-EncodedCommand', '{{x}}'],
  ['cmd', '/c', 'dir', '{{x}}'],
  ['ssh', 'host', 'ls', '{{x}}'],
  ['su', 'me', '--command={{x}}'],
  ['git', '-c', 'alias.a={{x}}', 'a'],
  ['awk', '{{x}}', 'data'],
  ['sed', '-n', '{{x}}'],
  ['sed', '-e', 's/a/{{x}}/'],
  ['xargs', '{{x}}'],
])('no value becomes a part of a program: %s %s %s', (program, ...args) => {
  expect(problems(program, ...args)).toEqual([expect.stringContaining('part of a program')]);
});

test.each([
  ['sh', './run.sh', '{{x}}'],
  ['sh', '-c', 'echo "$1"', 'sh', '{{x}}'],
  ['python3', './summarise.py', '{{x}}'],
  ['python3', '-m', 'json.tool', '{{x}}'],
  ['awk', '{ print $1 }', '{{x}}'],
  ['awk', '-f', './sum.awk', '{{x}}'],
  ['env', 'MODE=fast', 'tool', '{{x}}'],
  ['tool', '-c', '{{x}}'],
])('a value of its own for a script is none: %s %s %s', (program, ...args) => {
  expect(problems(program, ...args)).toEqual([]);
});
