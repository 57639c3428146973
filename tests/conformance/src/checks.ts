import { access } from './checks/access.ts';
import { auditChecks } from './checks/audit.ts';
import { catalogue, health } from './checks/catalogue.ts';
import { control } from './checks/control.ts';
import { errors } from './checks/errors.ts';
import { events } from './checks/events.ts';
import { files } from './checks/files.ts';
import { identity } from './checks/identity.ts';
import { lists } from './checks/lists.ts';
import { logsChecks } from './checks/logs.ts';
import { results } from './checks/results.ts';
import { sharing } from './checks/sharing.ts';
import { status } from './checks/status.ts';
import { submit } from './checks/submit.ts';
import { wait } from './checks/wait.ts';
import type { Check } from './kit.ts';

/** In the order of docs/api.md. */
export const checks: readonly Check[] = [
  ...submit,
  ...status,
  ...wait,
  ...events,
  ...logsChecks,
  ...results,
  ...files,
  ...lists,
  ...control,
  ...errors,
  ...identity,
  ...auditChecks,
  ...sharing,
  ...access,
  ...catalogue,
  ...health,
];

/** The checks of these rules; `S` is each rule of that group. Undefined: one of them is unknown. */
export function only(wanted: string): Check[] | undefined {
  const names = wanted.split(',').map((name) => name.trim().toUpperCase());
  const fits = (rule: string, name: string): boolean => rule === name || rule.startsWith(`${name}-`);
  if (names.some((name) => !checks.some(({ rule }) => fits(rule, name)))) return undefined;
  return checks.filter(({ rule }) => names.some((name) => fits(rule, name)));
}
