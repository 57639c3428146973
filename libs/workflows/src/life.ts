import type { CancelCommand } from '@perdure/job/commands';
import type { JobError } from '@perdure/job/errors';
import type { JobStart } from '@perdure/job/start';
import type { Inbox } from './inbox.ts';
import type { Ledger } from './ledger.ts';

/** All there is of a running job: what it is to do, what became of it, and what was asked of it. */
export type Life = { start: JobStart; ledger: Ledger; inbox: Inbox };

/** How an agent stopped. `forced`: the function was killed, or the agent itself given up on; then there is no acknowledgement. */
export type Stopping = { forced: boolean; acknowledgedAt: string | null };

/** Thrown when the job is to end as FAILED. */
export class Failing extends Error {
  override readonly name = 'Failing';
  readonly error: JobError;
  constructor(error: JobError) {
    super(error.detail);
    this.error = error;
  }
}

/** Thrown when the job is to end as CANCELED. */
export class Canceling extends Error {
  override readonly name = 'Canceling';
  readonly command: CancelCommand;
  readonly ending: Stopping;
  constructor(command: CancelCommand, ending: Stopping) {
    super(command.reason ?? 'canceled');
    this.command = command;
    this.ending = ending;
  }
}
