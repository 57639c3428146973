import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';

import { patterns } from '@perdure/job/ids';
import { parse } from 'yaml';
import { z } from 'zod';

import { codeOf, variable } from './variable.ts';

const mebibytes = z.int().min(1);
const toolText = (form: RegExp) =>
  z
    .string('is no text; put it in quotes, like "3.11"')
    .regex(form, 'is letters, digits, dots, underscores and dashes');

/** What only the operator of an agent can say: of the machine, and of the programs that callers may start on it. */
const AgentFile = z.strictObject({
  displayName: z.string().min(1).max(200).optional(),
  operatingSystem: z
    .string()
    .regex(patterns.name, 'is a name like linux: small letters, digits and dashes')
    .optional(),
  tools: z
    .array(z.strictObject({ name: toolText(patterns.toolName), version: toolText(patterns.toolVersion) }))
    .max(100)
    .default([]),
  /** For every function that runs in a process, unless it says otherwise itself. */
  limits: z
    .strictObject({
      memoryMiB: mebibytes.optional(),
      scratchMiB: mebibytes.optional(),
      logLines: z.int().min(1).max(10_000_000).optional(),
    })
    .default({}),
  /** Judged by the pack `command`, which knows what a command is. */
  commands: z.array(z.unknown()).default([]),
});

/** `path` is absolute, and empty where no file is named. */
export type AgentFile = z.output<typeof AgentFile> & { path: string };

export const noAgentFile: AgentFile = { path: '', ...AgentFile.parse({}) };

/** The path of an agent's file; the value is what it says. Every problem is told with its place. */
export function agentFile(form: string) {
  const content = z.string().transform((name, context): AgentFile => {
    const path = resolve(name);
    const refuse = (message: string) => context.addIssue({ code: 'custom', message });
    let yaml: unknown;
    try {
      yaml = parse(readFileSync(path, 'utf8'), { logLevel: 'error' }) ?? {};
    } catch (error) {
      const why = error instanceof Error && error.name === 'YAMLParseError' ? placeOf(error) : codeOf(error);
      refuse(`names ${path}, which cannot be read: ${why}. Set it to ${form}.`);
      return z.NEVER;
    }
    const parsed = AgentFile.safeParse(yaml);
    if (parsed.success) return { path, ...parsed.data };
    for (const issue of parsed.error.issues) refuse(`names ${path}: ${inWords(issue)}.`);
    return z.NEVER;
  });
  return variable(content, { form });
}

function inWords(issue: z.core.$ZodIssue): string {
  const place = issue.path.map((step) => `/${String(step)}`).join('');
  if (issue.code === 'unrecognized_keys') {
    const keys = issue.keys.map((key) => `${place}/${key}`).join(', ');
    return `${keys} is unknown. Leave it out, or mend its spelling`;
  }
  return `${place || 'the whole'} cannot be used (${issue.message}). Mend it, or leave it out`;
}

/** Without the lines around the place, which may contain secrets. */
function placeOf({ message }: Error): string {
  return (message.split('\n')[0] ?? '').replace(/:$/, '');
}
