import type { Parsed } from '@perdure/job/commands';
import { ApplicationFailure, setHandler } from '@temporalio/workflow';
import type { UpdateDefinition } from '@temporalio/common';

/** An update that waits for its answer: the main line gives it, one at a time. */
export type Question<Asked, Answer> = {
  asked: Asked;
  answer(answer: Answer): void;
  refuse(reason: string): void;
};

export type Questions<Asked, Answer> = {
  take(): Question<Asked, Answer> | undefined;
  waiting(): boolean;
  /** Answers all that wait with a refusal: the time for them is over. */
  refuseAll(reason: string): void;
};

/**
 * Lets an update wait for the main line. What is refused at the door (malformed, or against `reasonAgainst`) leaves nothing in the history.
 * A refusal fails the update alone, never the workflow.
 */
export function openQuestions<Asked, Answer>(
  update: UpdateDefinition<Answer, [Asked]>,
  parse: (payload: unknown) => Parsed<Asked>,
  reasonAgainst: (asked: Asked) => string | undefined,
): Questions<Asked, Answer> {
  let waiting: Question<Asked, Answer>[] = [];

  setHandler(
    update,
    (asked) =>
      new Promise<Answer>((resolve, reject) =>
        waiting.push({ asked, answer: resolve, refuse: (reason) => reject(refusal(reason)) }),
      ),
    {
      validator: (payload) => {
        const parsed = parse(payload);
        if (!parsed.ok) throw refusal(parsed.message);
        const reason = reasonAgainst(parsed.value);
        if (reason !== undefined) throw refusal(reason);
      },
    },
  );

  return {
    take: () => waiting.shift(),
    waiting: () => waiting.length > 0,
    refuseAll(reason) {
      const late = waiting;
      waiting = [];
      for (const { refuse } of late) refuse(reason);
    },
  };
}

/** How an update is refused: it fails alone. */
export function refusal(reason: string): ApplicationFailure {
  return ApplicationFailure.nonRetryable(reason, 'transition-refused');
}
