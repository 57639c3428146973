import type { Status } from '@perdure/job/status';

/** How far another run of the workflow had brought the job. */
export type RecordedBefore = { lastSeq: number; attempt: number; status: Status };

/** Thrown when the job was recorded by another run of its workflow: an operator has reset it. Nothing was written. */
export class Overtaken extends Error {
  override readonly name = 'Overtaken';
  readonly recorded: RecordedBefore;

  constructor(jobId: string, recorded: RecordedBefore) {
    super(`Job ${jobId} was recorded by another run of its workflow, up to event ${recorded.lastSeq}`);
    this.recorded = recorded;
  }
}
