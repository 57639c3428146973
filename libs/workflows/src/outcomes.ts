import { jobError } from '@perdure/job/errors';
import { isJsonObject } from '@perdure/job/json';
import { Failing } from './life.ts';

/** Operators may complete an activity by hand, with whatever they type: what is no answer of a stage ends the job, and not its workflow task. */
export function requireOutcome(answer: unknown, stage: 'execute' | 'upload'): void {
  const outcome = stage === 'execute' && isJsonObject(answer) ? answer['outcome'] : answer;
  if (stage === 'execute' && outcome === null) return;
  if (isJsonObject(outcome) && Array.isArray(outcome['files'])) return;
  throw new Failing(
    jobError(
      'output-invalid',
      `the activity of the stage ${stage} was completed with something that is no outcome`,
    ),
  );
}
