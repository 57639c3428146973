import type { OrchestratorActivities } from '@perdure/activities';
import type { Outcome } from '@perdure/job/event';
import { defaultRunSeconds } from '@perdure/job/start';
import type { Status } from '@perdure/job/status';
import { stepsBetween } from '@perdure/job/transitions';
import { type Bid, type Grant, holdActivityId } from '@perdure/job/holds';
import { type ActivityOptions, proxyActivities, upsertSearchAttributes } from '@temporalio/workflow';
import { complete } from './endings.ts';
import { interruptible } from './interruptible.ts';
import type { Life } from './life.ts';
import { requireOutcome } from './outcomes.ts';
import type { Question } from './questions.ts';
import { searchAttributes } from './search-attributes.ts';
import { dealWith, timeLeft } from './setbacks.ts';

/**
 * The job is with an HTTP agent. One activity stands for all its stages: the API beats, completes, fails or cancels it by its id in the
 * agent's name, so that Temporal's heartbeat timeout is the lease. How far the agent is comes by the signal `report`.
 */
export async function heldOverHttp(
  life: Life,
  { asked, answer, refuse }: Question<Bid, Grant>,
  options: ActivityOptions,
): Promise<Outcome> {
  const { start, ledger, inbox } = life;
  const { agentId, leaseMs } = asked;
  const { jobId, startedAt } = ledger.state;
  const attempt = ledger.state.attempt + 1;
  upsertSearchAttributes([
    { key: searchAttributes.status, value: 'RUNNING' },
    { key: searchAttributes.agent, value: agentId },
  ]);
  const change = { agentId, attempt, startedAt: startedAt ?? new Date().toISOString() };
  await ledger.applyDurably({ type: 'claimed', actor: agentId, change }).catch((setback: unknown) => {
    refuse('the job was not given to anybody: ask again');
    throw setback;
  });
  answer({ attempt });

  const { hold } = proxyActivities<OrchestratorActivities>({
    ...options,
    activityId: holdActivityId(attempt),
    heartbeatTimeout: leaseMs,
    scheduleToCloseTimeout: timeLeft(life, start.limits.runSeconds ?? defaultRunSeconds),
    summary: agentId,
  });
  const stepsTo = (status: Status) =>
    stepsBetween(ledger.state.status, status).map((type) => ({ type, actor: agentId }));
  const reports = {
    waiting: () => inbox.reports.length > 0,
    async follow(stopping: boolean): Promise<undefined> {
      const report = inbox.reports.shift();
      if (stopping || report?.agentId !== agentId || report.attempt !== attempt) return;
      const steps = stepsTo(report.status);
      if (steps.length > 0) await ledger.apply(...steps);
    },
  };
  const outcome = await interruptible(() => hold({ jobId, attempt }), life, reports).catch(
    (failure: unknown) => dealWith(failure, life),
  );
  requireOutcome(outcome, 'upload');
  return complete(life, outcome, ...stepsTo('UPLOADING'));
}
