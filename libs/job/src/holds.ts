import type { Parsed } from './commands.ts';
import { patterns } from './ids.ts';
import { isJsonObject } from './json.ts';
import { isReportable, type ReportableStatus } from './status.ts';

/** Update `claim`: an HTTP agent wants this very job, and will be heard of at least every `leaseMs`. */
export type Bid = { agentId: string; leaseMs: number };
/** What the winner is told. */
export type Grant = { attempt: number };

/** Signal `report`: the agent that holds the job says how far it is. */
export type Report = { agentId: string; attempt: number; status: ReportableStatus };

/** The id of the activity that stands for what an HTTP agent does. It carries the attempt: what a former one sends finds no activity. */
export function holdActivityId(attempt: number): string {
  return `hold-${attempt}`;
}

/** Reads the payload of the update `claim`. */
export function parseBid(payload: unknown): Parsed<Bid> {
  if (isJsonObject(payload) && isAgentId(payload['agentId']) && isLease(payload['leaseMs']))
    return { ok: true, value: { agentId: payload['agentId'], leaseMs: payload['leaseMs'] } };
  return { ok: false, message: 'claim takes {agentId, leaseMs: 1000 to 3600000}' };
}

/** Reads the payload of the signal `report`. */
export function parseReport(payload: unknown): Parsed<Report> {
  if (isJsonObject(payload) && isAgentId(payload['agentId'])) {
    const { agentId, attempt, status } = payload;
    if (typeof attempt === 'number' && typeof status === 'string' && isReportable(status))
      return { ok: true, value: { agentId, attempt, status } };
  }
  return { ok: false, message: 'expected {agentId, attempt, status: VALIDATING, RUNNING or UPLOADING}' };
}

function isAgentId(value: unknown): value is string {
  return typeof value === 'string' && patterns.agentId.test(value);
}

function isLease(value: unknown): value is number {
  return typeof value === 'number' && value >= 1_000 && value <= 3_600_000;
}
