import { patterns } from './ids.ts';
import { isJsonObject } from './json.ts';

/** Default and ceiling of the time a function gets to clean up after a cancel or a reassign. */
export const defaultGraceSeconds = 10;
export const maxGraceSeconds = 600;

export type CancelMode = 'graceful' | 'force';
export type CancelCommand = { reason?: string; by?: string; graceSeconds: number; mode: CancelMode };
export type ReassignTarget = { agentId: string } | { pool: string } | { anyone: true };
export type ReassignCommand = { target: ReassignTarget; reason?: string; by?: string; graceSeconds: number };
/** Update `interrupted`: an operator has paused or reset an activity of the job in Temporal. */
export type Interruption = { activityId: string; how: 'paused' | 'reset'; by?: string; reason?: string };

export type Parsed<T> = { ok: true; value: T } | { ok: false; message: string };

/**
 * Reads the payload of the signal `cancel`: `{reason?, by?, graceSeconds?, mode?}`, or nothing at all.
 * Operators type it by hand in the Temporal UI, so that everything wrong is named, and nothing is thrown.
 */
export function parseCancel(payload: unknown): Parsed<CancelCommand> {
  const object = payload === undefined || payload === null ? {} : payload;
  if (!isJsonObject(object))
    return refuse('cancel takes an object {reason?, by?, graceSeconds?, mode?}, or nothing');
  const wrong = firstWrong(object, ['reason', 'by', 'graceSeconds', 'mode']);
  if (wrong) return refuse(wrong);
  const { mode } = object;
  if (mode !== undefined && mode !== 'graceful' && mode !== 'force')
    return refuse("mode is 'graceful' or 'force'");
  return {
    ok: true,
    value: { ...who(object), graceSeconds: mode === 'force' ? 0 : grace(object), mode: mode ?? 'graceful' },
  };
}

/** Reads the payload of the signal `reassign`: exactly one of `agentId`, `pool`, `anyone: true`; and `reason?`, `by?`, `graceSeconds?`. */
export function parseReassign(payload: unknown): Parsed<ReassignCommand> {
  if (!isJsonObject(payload))
    return refuse('reassign takes an object {agentId | pool | anyone: true, reason?, by?, graceSeconds?}');
  const wrong = firstWrong(payload, ['agentId', 'pool', 'anyone', 'reason', 'by', 'graceSeconds']);
  if (wrong) return refuse(wrong);
  const { agentId, pool, anyone } = payload;
  const named = [agentId, pool, anyone].filter((one) => one !== undefined).length;
  if (named !== 1) return refuse('name exactly one of agentId, pool, anyone');
  const rest = { ...who(payload), graceSeconds: grace(payload) };
  if (typeof agentId === 'string' && patterns.agentId.test(agentId))
    return { ok: true, value: { target: { agentId }, ...rest } };
  if (typeof pool === 'string' && patterns.pool.test(pool))
    return { ok: true, value: { target: { pool }, ...rest } };
  if (anyone === true) return { ok: true, value: { target: { anyone }, ...rest } };
  return refuse('agentId and pool are names (letters, digits, dashes), anyone is true');
}

/** Reads the payload of the update `interrupted`. */
export function parseInterruption(payload: unknown): Parsed<Interruption> {
  if (!isJsonObject(payload)) return refuse('interrupted takes {activityId, how, by?, reason?}');
  const wrong = firstWrong(payload, ['activityId', 'how', 'by', 'reason']);
  if (wrong) return refuse(wrong);
  const { activityId, how } = payload;
  if (typeof activityId !== 'string' || activityId.length > 100) return refuse('activityId is a name');
  if (how !== 'paused' && how !== 'reset') return refuse("how is 'paused' or 'reset'");
  return { ok: true, value: { activityId, how, ...who(payload) } };
}

function firstWrong(object: Record<string, unknown>, known: string[]): string | undefined {
  const unknown = Object.keys(object).find((key) => !known.includes(key));
  if (unknown !== undefined) return `unknown field '${unknown.slice(0, 50)}'; known are ${known.join(', ')}`;
  for (const key of ['reason', 'by']) {
    if (object[key] !== undefined && typeof object[key] !== 'string') return `${key} is a text`;
  }
  const seconds = object['graceSeconds'];
  if (
    seconds !== undefined &&
    (typeof seconds !== 'number' || !(seconds >= 0 && seconds <= maxGraceSeconds))
  ) {
    return `graceSeconds is a number from 0 to ${maxGraceSeconds}`;
  }
  return undefined;
}

function who({ reason, by }: Record<string, unknown>): { reason?: string; by?: string } {
  return {
    ...(typeof reason === 'string' ? { reason: reason.slice(0, 1_000) } : {}),
    ...(typeof by === 'string' ? { by: by.slice(0, 200) } : {}),
  };
}

function grace({ graceSeconds }: Record<string, unknown>): number {
  return typeof graceSeconds === 'number' ? graceSeconds : defaultGraceSeconds;
}

function refuse(message: string): { ok: false; message: string } {
  return { ok: false, message };
}
