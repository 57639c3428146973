import {
  type CancelCommand,
  type Interruption,
  parseCancel,
  parseInterruption,
  parseReassign,
  type ReassignCommand,
} from '@perdure/job/commands';
import { clip } from '@perdure/job/errors';
import type { JobState } from '@perdure/job/event';
import { type Bid, type Grant, parseBid, parseReport, type Report } from '@perdure/job/holds';
import { CancellationScope, condition, setDefaultSignalHandler, setHandler } from '@temporalio/workflow';
import type { Fact } from './ledger.ts';
import { cancelSignal, claimUpdate, interruptedUpdate, reassignSignal, reportSignal } from './messages.ts';
import { openQuestions, type Questions, refusal } from './questions.ts';

export type Command =
  { kind: 'cancel'; command: CancelCommand } | { kind: 'reassign'; command: ReassignCommand };

/** A job that is sent nonsense without end must not grow without end: so much becomes events. */
const maxNotes = 100;

/**
 * What was asked of the job and not yet answered, in order. Handlers only note: they never throw (a throw would wedge the workflow), and they
 * never decide; the main line takes the commands one at a time.
 */
export type Inbox = {
  take(): Command | undefined;
  waiting(): readonly Command[];
  /** Takes what changes nothing and is to be known: what could not be understood, what operators did to activities. */
  takeNotes(): Fact[];
  /** Resolves with true as soon as there is something to take or `other()` holds; with false when neither came within `ms`. */
  somethingToDo(other: () => boolean, ms?: number): Promise<boolean>;
  /** Of HTTP agents that want the job, while it is PENDING. */
  bids: Questions<Bid, Grant>;
  /** What HTTP agents said of how far they are. */
  reports: Report[];
  /** True once the workflow itself was canceled from the UI, the CLI or a client. */
  nativelyCanceled(): boolean;
};

export function openInbox(carried: readonly Command[], state: () => JobState): Inbox {
  const commands: Command[] = [...carried];
  let notes: Fact[] = [];
  let heard = 0;
  let native = false;

  function note(fact: Fact): void {
    if (heard++ < maxNotes) notes.push(fact);
  }

  setHandler(cancelSignal, (payload) => {
    const parsed = parseCancel(payload);
    if (parsed.ok) commands.push({ kind: 'cancel', command: parsed.value });
    else note(refused(`cancel: ${parsed.message}`));
  });
  setHandler(reassignSignal, (payload) => {
    const parsed = parseReassign(payload);
    if (parsed.ok) commands.push({ kind: 'reassign', command: parsed.value });
    else note(refused(`reassign: ${parsed.message}`));
  });
  const reports: Report[] = [];
  setHandler(reportSignal, (payload) => {
    const parsed = parseReport(payload);
    if (parsed.ok) reports.push(parsed.value);
    else note(refused(`report: ${parsed.message}`));
  });
  setDefaultSignalHandler((name) =>
    note(refused(`unknown signal '${clip(name, 50)}'; known are cancel, reassign, report`)),
  );
  setHandler(interruptedUpdate, (interruption) => note(interrupted(interruption)), {
    validator(payload) {
      const parsed = parseInterruption(payload);
      if (!parsed.ok) throw refusal(parsed.message);
    },
  });
  CancellationScope.current().cancelRequested.catch(() => {
    native = true;
    const parsed = parseCancel({ by: 'temporal' });
    if (parsed.ok) commands.push({ kind: 'cancel', command: parsed.value });
  });

  const bids: Questions<Bid, Grant> = openQuestions(claimUpdate, parseBid, ({ agentId }) => {
    const { status, assignedAgentId } = state();
    if (status !== 'PENDING') return `the job is ${status}`;
    if (assignedAgentId !== null && assignedAgentId !== agentId)
      return `the job is pinned to ${assignedAgentId}`;
    return bids.waiting() ? 'another agent is taking the job' : undefined;
  });

  return {
    bids,
    reports,
    take: () => commands.shift(),
    waiting: () => commands,
    takeNotes() {
      const taken = notes;
      notes = [];
      return taken;
    },
    somethingToDo(other, ms) {
      const ready = () => other() || commands.length > 0 || notes.length > 0;
      return ms === undefined ? condition(ready).then(() => true) : condition(ready, ms);
    },
    nativelyCanceled: () => native,
  };
}

/** A command that was not followed, and why. */
export function refused(message: string, command?: Command): Fact {
  return {
    type: 'commandRefused',
    code: 'transition-refused',
    message,
    actor: command?.command.by ?? 'unknown',
  };
}

function interrupted({ activityId, how, by, reason }: Interruption): Fact {
  return {
    type: 'interrupted',
    code: 'stage-interrupted',
    message: `the activity ${activityId} was ${how} in Temporal${reason === undefined ? '' : `: ${reason}`}`,
    actor: by ?? 'unknown',
    data: { activityId, how },
  };
}
