import type { Job, WaitingReason } from '@perdure/client';
import ora from 'ora';
import { say } from './exit.ts';
import { harmless } from './output.ts';

const width = 24;

/** A bar with stage and remaining time on a terminal, a line at each step elsewhere; both on stderr. */
export function showProgress(): { show(job: Job): void; stop(): void } {
  const remaining = estimator();
  if (!process.stderr.isTTY) {
    let last = '';
    return {
      show(job) {
        const step = `${job.status} ${job.attempt} ${Math.floor((shareOf(job) ?? 0) * 10)} ${job.waitingReason?.kind}`;
        if (step !== last) say(describe(job, remaining(job)));
        last = step;
      },
      stop: () => {},
    };
  }
  // Ctrl-C is ours to handle.
  const spinner = ora({ discardStdin: false, stream: process.stderr }).start();
  return {
    show: (job) => void (spinner.text = `${bar(shareOf(job))}${describe(job, remaining(job))}`),
    stop: () => void spinner.stop(),
  };
}

export function describe(job: Job, secondsLeft: number | undefined): string {
  const { status, stage, progress, waitingReason, attempt, lastFailure } = job;
  const parts = [
    status,
    stage !== null && stage !== 'claim' ? stage : undefined,
    attempt > 1 ? `attempt ${attempt}` : undefined,
    progress === null
      ? undefined
      : [progress.total === null ? progress.done : `${progress.done}/${progress.total}`, progress.unit]
          .filter((part) => part !== null)
          .join(' '),
    progress?.message ?? undefined,
    secondsLeft === undefined ? undefined : `${inWords(secondsLeft)} left`,
    waitingReason === null ? undefined : because(waitingReason),
    lastFailure === null ? undefined : `tried again after: ${lastFailure.detail}`,
    job.cancelRequestedAt === null || job.endedAt !== null ? undefined : 'cancel asked for',
  ];
  return harmless(parts.filter((part) => part !== undefined).join(' · '));
}

function because(reason: WaitingReason): string {
  const words = reason.kind.replaceAll('-', ' ');
  if (reason.kind === 'all-busy' && reason.backlog !== null) return `${words}, ${reason.backlog.jobs} wait`;
  return words;
}

function shareOf({ progress }: Job): number | undefined {
  if (progress === null || progress.total === null || progress.total <= 0) return undefined;
  return Math.min(1, Math.max(0, progress.done / progress.total));
}

/** Empty where the share is not known. */
export function bar(share: number | undefined): string {
  if (share === undefined) return '';
  const full = Math.round(share * width);
  return `${'█'.repeat(full)}${'░'.repeat(width - full)} ${Math.floor(share * 100)} % `;
}

/** How many seconds are left if it goes on as since the first share that was seen; anew after `reset`. */
export function estimatorOf(now: () => number = () => performance.now()) {
  let first: { at: number; share: number } | undefined;
  return (share: number, reset = false): number | undefined => {
    if (reset || first === undefined || share < first.share) first = { at: now(), share };
    const gained = share - first.share;
    return gained <= 0 ? undefined : ((1 - share) * (now() - first.at)) / gained / 1_000;
  };
}

/** The same of a job, for each attempt anew. */
export function estimator(now?: () => number): (job: Job) => number | undefined {
  const remaining = estimatorOf(now);
  let attempt: number | undefined;
  return (job) => {
    const share = shareOf(job);
    if (share === undefined || job.status !== 'RUNNING') return undefined;
    const reset = attempt !== job.attempt;
    ({ attempt } = job);
    return remaining(share, reset);
  };
}

export function inWords(seconds: number): string {
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  if (whole < 3_600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  return `${Math.floor(whole / 3_600)} h ${Math.floor((whole % 3_600) / 60)} min`;
}
