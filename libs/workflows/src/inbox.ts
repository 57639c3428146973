import { type CancelCommand, parseCancel, parseReassign, type ReassignCommand } from '@perdure/job/commands';
import { clip } from '@perdure/job/errors';
import { CancellationScope, condition, setDefaultSignalHandler, setHandler } from '@temporalio/workflow';
import { cancelSignal, reassignSignal } from './messages.ts';

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
  /** Resolves with true as soon as there is something to take or `settled()` holds; with false when neither came within `ms`. */
  somethingToDo(settled: () => boolean, ms?: number): Promise<boolean>;
  /** True once the workflow itself was canceled from the UI, the CLI or a client. */
  nativelyCanceled(): boolean;
};

export function openInbox(carried: readonly Command[]): Inbox {
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
  setDefaultSignalHandler((name) => note(`unknown signal '${clip(name, 50)}'; known are cancel, reassign`));
  CancellationScope.current().cancelRequested.catch(() => {
    native = true;
    const parsed = parseCancel({ by: 'temporal' });
    if (parsed.ok) commands.push({ kind: 'cancel', command: parsed.value });
  });

  return {
    take: () => commands.shift(),
    waiting: () => commands,
    takeNonsense() {
      const taken = nonsense;
      nonsense = [];
      return taken;
    },
    somethingToDo(settled, ms) {
      const ready = () => settled() || commands.length > 0 || nonsense.length > 0;
      return ms === undefined ? condition(ready).then(() => true) : condition(ready, ms);
    },
    nativelyCanceled: () => native,
  };
}
