import { join } from 'node:path';
import { checkParameters, type FunctionDefinition, inWords } from '@perdure/functions';
import { jobError } from '@perdure/job/errors';
import type { JsonObject } from '@perdure/job/json';
import { canServe, type Demand, type Offer } from '@perdure/job/queues';
import type { JobStart } from '@perdure/job/start';
import type { Storage } from '@perdure/storage';
import { ApplicationFailure } from '@temporalio/common';
import type { ClaimAnswer, ClaimRequest, FunctionRetry, Verdict } from './contract.ts';
import type { Slots } from './held-job.ts';
import { parametersOf } from './inputs.ts';

type Deps = {
  agentId: string;
  storage: Storage;
  slots: Slots;
  offer(): Offer;
  functions: ReadonlyMap<string, FunctionDefinition>;
  scratchRoot: string;
  leaseMs: number;
};

/** Takes the job if there is a slot for it, and says what the agent thinks of its parameters. Asked twice, it answers twice the same. */
export async function claim(deps: Deps, request: ClaimRequest): Promise<ClaimAnswer> {
  const { start } = request;
  const claimedAt = new Date().toISOString();
  const held = deps.slots.find(request);
  if (held !== undefined) return held.answer;
  const definition = deps.functions.get(`${start.function}@${start.version}`);
  if (definition === undefined || !canServe(deps.offer(), demandOf(start))) {
    // The queues keep such jobs away, unless they are pinned to this agent.
    throw ApplicationFailure.nonRetryable(
      `agent ${deps.agentId} does not offer ${start.function}@${start.version} as the job asks for it`,
      'incapable-agent',
    );
  }
  if (!deps.slots.reserve(request, request.alone)) return { kind: 'full' };
  try {
    const parameters = await parametersOf(start, deps.storage);
    const verdict = verdictOf(definition, parameters);
    const answer = {
      kind: 'claimed',
      agentId: deps.agentId,
      claimedAt,
      checkedAt: new Date().toISOString(),
      verdict,
      retry: retryOf(definition),
      leaseMs: deps.leaseMs,
    } as const;
    const scratch = join(deps.scratchRoot, `${request.jobId}-${request.attempt}`);
    deps.slots.keep({
      request,
      answer,
      definition,
      parameters,
      scratch,
      session: undefined,
      inputs: undefined,
      produced: undefined,
      overtaken: overtaken(),
    });
    if (verdict.kind === 'invalid') await deps.slots.release(request);
    return answer;
  } catch (failure) {
    await deps.slots.release(request);
    throw failure;
  }
}

/** What the claim queue says of the job is not asked again: by now it may have been sent elsewhere, and its start argument tells of the beginning. */
function demandOf({
  function: functionName,
  version: functionVersion = '',
  tool,
  operatingSystem,
}: JobStart): Demand {
  return { functionName, functionVersion, tool, operatingSystem };
}

function overtaken(): PromiseWithResolvers<never> {
  const later = Promise.withResolvers<never>();
  // Nobody may be waiting for it.
  later.promise.catch(() => undefined);
  return later;
}

function verdictOf(definition: FunctionDefinition, parameters: JsonObject): Verdict {
  const wrong = checkParameters(definition, parameters);
  if (wrong.length > 0)
    return { kind: 'invalid', error: jobError('invalid-parameters', inWords(wrong), wrong) };
  return { kind: definition.validate === undefined ? 'valid' : 'deeper' };
}

function retryOf({ retry }: FunctionDefinition): FunctionRetry {
  const {
    maximumAttempts,
    initialIntervalMs = 1_000,
    backoffCoefficient = 2,
    maximumIntervalMs = 60_000,
  } = retry;
  return { maximumAttempts, initialIntervalMs, backoffCoefficient, maximumIntervalMs };
}
