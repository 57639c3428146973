import type { JsonObject } from '@perdure/job/json';
import type { JobStart } from '@perdure/job/start';
import type { Selectable } from 'kysely';
import type { JobRecord } from './records.ts';
import type { Schema } from './schema.ts';
import { milliseconds } from './times.ts';

/** The columns that describe what was asked for: written once, when the row is created. By the names of the table. */
export function askedColumns(id: string, start: JobStart, parameters: JsonObject) {
  const { parameters: _own, ...rest } = start;
  return {
    id,
    tenant_id: start.tenantId,
    owner: start.owner,
    name: start.name ?? null,
    function_name: start.function,
    tool: start.tool ?? null,
    operating_system: start.operatingSystem ?? null,
    parameters,
    parameters_sha256: start.parametersSha256 ?? null,
    labels: start.labels,
    priority: start.priority,
    limits: start.limits,
    start: rest,
  };
}

export function toJobRecord(row: Selectable<Schema['jobs']>): JobRecord {
  const { lastLogAt: _internal, runId: _run, start, ...rest } = row;
  return {
    ...rest,
    start: { ...start, parameters: row.parametersSha256 === null ? row.parameters : {} },
    nextAttemptAt: milliseconds(row.nextAttemptAt),
    cancelRequestedAt: milliseconds(row.cancelRequestedAt),
    cancelDeliveredAt: milliseconds(row.cancelDeliveredAt),
    queuedAt: milliseconds(row.queuedAt),
    startedAt: milliseconds(row.startedAt),
    endedAt: milliseconds(row.endedAt),
    updatedAt: milliseconds(row.updatedAt),
    workflowStartedAt: milliseconds(row.workflowStartedAt),
    archivedAt: milliseconds(row.archivedAt),
  };
}

/** What a new row is made of; the rest has a default, or is null until something reports it. By the names of the table. */
export const newRowColumns = [
  'id',
  'tenant_id',
  'owner',
  'name',
  'function_name',
  'function_version',
  'pool',
  'assigned_agent_id',
  'tool',
  'operating_system',
  'status',
  'attempt',
  'agent_id',
  'agent_losses',
  'parameters',
  'parameters_sha256',
  'labels',
  'priority',
  'limits',
  'output',
  'files',
  'result_file',
  'error',
  'stop',
  'cancel_requested_at',
  'cancel_forced',
  'revision',
  'last_seq',
  'run_id',
  'start',
  'queued_at',
  'started_at',
  'ended_at',
];
