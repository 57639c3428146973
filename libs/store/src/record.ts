import { PerdureError } from '@perdure/job/errors';
import type { OpenDatabase } from './database.ts';
import { batched } from './batch.ts';
import { encodeEntry, type EncodedEntry, type RecordEntry } from './record-entry.ts';
import { writeEntries } from './record-statement.ts';

export type { RecordEntry } from './record-entry.ts';
export { Overtaken, type RecordedBefore } from './overtaken.ts';
export { closeFromOutside, type OutsideEnd } from './close-from-outside.ts';

export type Recorder = {
  /**
   * Resolves when the state and its events are committed, or were already. Repeats and late arrivals change nothing: events
   * are kept once by `(job, seq)`, an older state never overwrites a newer one, and nothing overwrites an end.
   * Where the job has no row (a direct start) the first call makes it.
   *
   * @throws PerdureError `id-taken` when the id is another tenant's; `internal-error` when this entry can never be
   * written (no JSON, or PostgreSQL refuses it); `Overtaken` when another run of the workflow has recorded the job; the driver's own error when PostgreSQL is away, and trying again will help
   */
  record(entry: RecordEntry): Promise<void>;
};

/** Calls that come while a statement is under way are written together by the next one. */
export function makeRecorder(db: OpenDatabase): Recorder {
  const write = batched<EncodedEntry>({
    keyOf: ({ jobId }) => jobId,
    sizeOf: ({ text }) => text.length,
    write: (entries) => writeEntries(db, entries),
  });
  return { record: async (entry) => write(encode(entry)) };
}

function encode(entry: RecordEntry): EncodedEntry {
  try {
    return encodeEntry(entry);
  } catch (cause) {
    // A circle, or deeper than the stack.
    throw new PerdureError(
      'internal-error',
      `The state of job ${entry.state.jobId} cannot be written as JSON`,
      { cause },
    );
  }
}
