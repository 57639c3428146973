import { randomUUID } from 'node:crypto';
import type { JobEvent, JobState } from '@perdure/job/event';
import { defaultTenantId } from '@perdure/job/ids';
import type { JobStart } from '@perdure/job/start';
import type { Status } from '@perdure/job/status';
import type { EventType } from '@perdure/job/transitions';
import { freshDatabase } from '../../../tests/support/database.ts';
import { type Database, migrate, type OpenDatabase, openDatabase, openTenantDatabases } from './database.ts';
import type { RecordEntry } from './record.ts';
import type { NewJob } from './submit.ts';

export const otherTenantId = '00000000-0000-7000-8000-0000000000ff';

export type Fresh = {
  db: OpenDatabase;
  url: string;
  /** As the API asks for one tenant. */
  as(tenantId: string): Database;
  drop(): Promise<void>;
};

/** A migrated database of its own. */
export async function openFresh(): Promise<Fresh> {
  const { url, drop } = await freshDatabase();
  const db = openDatabase(url);
  const tenants = openTenantDatabases(url, { poolSize: 3 });
  await migrate(db);
  return {
    db,
    url,
    as: (tenantId) => tenants.of(tenantId),
    drop: async () => {
      await db.close();
      await tenants.close();
      await drop();
    },
  };
}

export function aStart(overrides: Partial<JobStart> = {}): JobStart {
  return {
    tenantId: defaultTenantId,
    owner: 'ada',
    function: 'echo',
    version: '1.0.0',
    parameters: { text: 'hello' },
    labels: {},
    priority: 3,
    limits: {},
    maxAgentLosses: 3,
    historyEvents: 2_000,
    admitted: true,
    ...overrides,
  };
}

export function aNewJob(overrides: Partial<NewJob> = {}): NewJob {
  const { tenantId = defaultTenantId, owner = 'ada', parameters = { text: 'hello' } } = overrides;
  return {
    id: randomUUID(),
    tenantId,
    owner,
    parameters,
    start: aStart({ tenantId, owner, parameters }),
    ...overrides,
  };
}

export function aState(jobId: string, overrides: Partial<JobState> = {}): JobState {
  return {
    jobId,
    status: 'PENDING',
    attempt: 0,
    seq: 2,
    agentId: null,
    pool: null,
    assignedAgentId: null,
    functionVersion: '1.0.0',
    agentLosses: 0,
    createdAt: '2026-11-22T05:00:00.000Z',
    queuedAt: '2026-11-22T05:00:00.100Z',
    startedAt: null,
    endedAt: null,
    cancelRequestedAt: null,
    cancelForced: null,
    stop: null,
    error: null,
    outcome: null,
    ...overrides,
  };
}

export function anEvent(
  seq: number,
  type: EventType,
  status: Status,
  overrides: Partial<JobEvent> = {},
): JobEvent {
  return {
    seq,
    type,
    at: `2026-11-22T05:00:0${seq % 10}.000Z`,
    status,
    attempt: 1,
    agentId: null,
    actor: 'perdure',
    message: null,
    code: null,
    data: null,
    ...overrides,
  };
}

const steps: readonly [EventType, Status][] = [
  ['created', 'CREATED'],
  ['queued', 'PENDING'],
  ['claimed', 'CLAIMED'],
  ['validationStarted', 'VALIDATING'],
  ['validated', 'RUNNING'],
  ['executed', 'UPLOADING'],
  ['uploaded', 'COMPLETED'],
];

/** What the workflow records when an ordinary job has come from event `from` to event `to` (1 created … 7 uploaded). */
export function anEntry(
  jobId: string,
  from: number,
  to: number,
  overrides: Partial<RecordEntry> = {},
): RecordEntry {
  const [, status = 'COMPLETED'] = steps[to - 1] ?? [];
  const events = steps
    .slice(from - 1, to)
    .map(([type, reached], index) => anEvent(from + index, type, reached));
  return {
    start: aStart(),
    state: aState(jobId, { status, seq: to, attempt: to > 2 ? 1 : 0, agentId: to > 2 ? 'agent-1' : null }),
    events,
    ...overrides,
  };
}
