import type { JobEvent, JobState } from '@perdure/job/event';
import { isTooFarAhead, type JobStart, maxAheadDays, parseStart } from '@perdure/job/start';
import { workflowInfo } from '@temporalio/workflow';
import type { Command } from './inbox.ts';

/** Where a run of the workflow begins: at the start of the job, or where an earlier run left off. */
export type Opening = {
  start: JobStart;
  state: JobState;
  events: JobEvent[];
  waiting: Command[];
  /** Why the start argument cannot be understood. */
  refused?: string;
};

export function open(argument: unknown): Opening {
  const { workflowId, startTime, continuedFromExecutionRunId } = workflowInfo();
  // Only this workflow continues itself as new, so what it handed on can be trusted.
  if (continuedFromExecutionRunId !== undefined) return argument as Opening;

  const parsed = parsedFor(argument, startTime);
  const start = parsed.ok ? parsed.value : placeholder();
  const createdAt = startTime.toISOString();
  const state: JobState = {
    jobId: workflowId,
    status: 'CREATED',
    attempt: 0,
    seq: 1,
    agentId: null,
    pool: start.pool ?? null,
    assignedAgentId: start.assignedAgentId ?? null,
    functionVersion: start.version ?? null,
    agentLosses: 0,
    createdAt,
    queuedAt: null,
    startedAt: null,
    endedAt: null,
    cancelRequestedAt: null,
    cancelForced: null,
    stop: null,
    error: null,
    outcome: null,
  };
  const created: JobEvent = {
    seq: 1,
    type: 'created',
    at: createdAt,
    status: 'CREATED',
    attempt: 0,
    agentId: null,
    actor: start.owner,
    message: null,
    code: null,
    data: null,
  };
  return { start, state, events: [created], waiting: [], ...(parsed.ok ? {} : { refused: parsed.message }) };
}

function parsedFor(argument: unknown, startTime: Date): ReturnType<typeof parseStart> {
  const parsed = parseStart(argument);
  const notBefore = parsed.ok ? parsed.value.notBefore : undefined;
  if (notBefore === undefined || !isTooFarAhead(notBefore, startTime.getTime())) return parsed;
  return { ok: false, message: `notBefore is at most ${maxAheadDays} days ahead` };
}

/** A job whose start cannot be understood is still a job, so that its failure can be recorded and read. */
function placeholder(): JobStart {
  const parsed = parseStart({ function: 'unknown' });
  if (!parsed.ok) throw new Error(parsed.message);
  return parsed.value;
}
