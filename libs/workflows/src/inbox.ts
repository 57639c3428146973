import { type CancelCommand, parseCancel, parseReassign, type ReassignCommand } from '@perdure/job/commands';
import { clip } from '@perdure/job/errors';
import type { JobState } from '@perdure/job/event';
import { type Bid, type Grant, parseBid, parseReport, type Report } from '@perdure/job/holds';
import { CancellationScope, condition, setDefaultSignalHandler, setHandler } from '@temporalio/workflow';
import { cancelSignal, claimUpdate, reassignSignal, reportSignal } from './messages.ts';
import { openQuestions, type Questions } from './questions.ts';

export type Command =
  { kind: 'cancel'; command: CancelCommand } | { kind: 'reassign'; command: ReassignCommand };

/** A job that is sent nonsense without end must not grow without end: so much of it becomes events. */
const maxNonsense = 100;

/**
 * What was asked of the job and not yet answered, in order. Handlers only note: they never throw (a throw would wedge the workflow), and they
 * never decide; the main line takes the commands one at a time.
 */
export type Inbox = {
  take(): Command | undefined;
  waiting(): readonly Command[];
  /** Takes what could not be understood: a sentence each. */
  takeNonsense(): string[];
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
  let nonsense: string[] = [];
  let heard = 0;
  let native = false;

  function note(sentence: string): void {
    if (heard++ < maxNonsense) nonsense.push(sentence);
  }

  setHandler(cancelSignal, (payload) => {
    const parsed = parseCancel(payload);
    if (parsed.ok) commands.push({ kind: 'cancel', command: parsed.value });
    else note(`cancel: ${parsed.message}`);
  });
  setHandler(reassignSignal, (payload) => {
    const parsed = parseReassign(payload);
    if (parsed.ok) commands.push({ kind: 'reassign', command: parsed.value });
    else note(`reassign: ${parsed.message}`);
  });
  const reports: Report[] = [];
  setHandler(reportSignal, (payload) => {
    const parsed = parseReport(payload);
    if (parsed.ok) reports.push(parsed.value);
    else note(`report: ${parsed.message}`);
  });
  setDefaultSignalHandler((name) =>
    note(`unknown signal '${clip(name, 50)}'; known are cancel, reassign, report`),
  );
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
    takeNonsense() {
      const taken = nonsense;
      nonsense = [];
      return taken;
    },
    somethingToDo(other, ms) {
      const ready = () => other() || commands.length > 0 || nonsense.length > 0;
      return ms === undefined ? condition(ready).then(() => true) : condition(ready, ms);
    },
    nativelyCanceled: () => native,
  };
}
