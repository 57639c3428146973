import { type CancelCommand, type Parsed, parseCancel, parseReassign, type ReassignCommand } from '@perdure/job/commands';
import { clip } from '@perdure/job/errors';
import { CancellationScope, condition, setDefaultSignalHandler, setHandler } from '@temporalio/workflow';
import { cancelSignal, reassignSignal } from './messages.ts';

export type Command =
  | { kind: 'cancel'; command: CancelCommand }
  | { kind: 'reassign'; command: ReassignCommand }
  | { kind: 'refused'; message: string };

/** A job that is sent nonsense without end must not grow without end. */
const maxWaiting = 100;

/**
 * What was asked of the job and not yet answered, in order. Handlers only note: they never throw (a throw would wedge the workflow), and they
 * never decide; the main line takes the commands one at a time.
 */
export type Inbox = {
  take(): Command | undefined;
  waiting(): readonly Command[];
  /** True once the workflow itself was canceled from the UI, the CLI or a client. */
  nativelyCanceled(): boolean;
};

export function openInbox(carried: readonly Command[]): Inbox {
  const commands: Command[] = [...carried];
  const note = (command: Command) => {
    if (commands.length < maxWaiting) commands.push(command);
  };
  const noteParsed = <T extends Command['kind']>(kind: T, parsed: Parsed<CancelCommand> | Parsed<ReassignCommand>) =>
    note(parsed.ok ? ({ kind, command: parsed.value } as Command) : { kind: 'refused', message: `${kind}: ${parsed.message}` });

  setHandler(cancelSignal, (payload) => noteParsed('cancel', parseCancel(payload)));
  setHandler(reassignSignal, (payload) => noteParsed('reassign', parseReassign(payload)));
  setDefaultSignalHandler((name) => note({ kind: 'refused', message: `unknown signal '${clip(name, 50)}'; known are cancel, reassign` }));

  let native = false;
  CancellationScope.current().cancelRequested.catch(() => {
    native = true;
    note({ kind: 'cancel', command: { by: 'temporal', mode: 'graceful', graceSeconds: 10 } });
  });

  return { take: () => commands.shift(), waiting: () => commands, nativelyCanceled: () => native };
}

/** Waits until a command is there or `settled()` holds; false where neither came within `ms`. */
export function somethingToDo(inbox: Inbox, settled: () => boolean, ms?: number): Promise<boolean> {
  const ready = () => settled() || inbox.waiting().length > 0;
  return ms === undefined ? condition(ready).then(() => true) : condition(ready, ms);
}
