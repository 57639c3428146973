export const statuses = [
  'CREATED',
  'PENDING',
  'CLAIMED',
  'VALIDATING',
  'RUNNING',
  'UPLOADING',
  'COMPLETED',
  'FAILED',
  'CANCELED',
] as const;

export type Status = (typeof statuses)[number];

/** What an answer may say when neither Temporal nor the record can tell. Never stored. */
export type AnsweredStatus = Status | 'UNKNOWN';

export const terminalStatuses = ['COMPLETED', 'FAILED', 'CANCELED'] as const satisfies readonly Status[];
export type TerminalStatus = (typeof terminalStatuses)[number];

/** The statuses in which an agent holds the job. */
export const heldStatuses = [
  'CLAIMED',
  'VALIDATING',
  'RUNNING',
  'UPLOADING',
] as const satisfies readonly Status[];

/** What an agent may say of a job that it holds; the ends are no reports of a status. */
export const reportableStatuses = ['VALIDATING', 'RUNNING', 'UPLOADING'] as const satisfies readonly Status[];
export type ReportableStatus = (typeof reportableStatuses)[number];

export function isReportable(text: string): text is ReportableStatus {
  return reportableStatuses.some((status) => status === text);
}

export function isTerminal(status: AnsweredStatus): status is TerminalStatus {
  return terminalStatuses.some((terminal) => terminal === status);
}

export function isHeld(status: AnsweredStatus): boolean {
  return heldStatuses.some((held) => held === status);
}

export const stages = ['claim', 'validate', 'execute', 'upload'] as const;
export type Stage = (typeof stages)[number];

/** The stage a job is in, or null where it is in none (created, or ended). */
export const stageOf: Record<AnsweredStatus, Stage | null> = {
  CREATED: null,
  PENDING: 'claim',
  CLAIMED: 'claim',
  VALIDATING: 'validate',
  RUNNING: 'execute',
  UPLOADING: 'upload',
  COMPLETED: null,
  FAILED: null,
  CANCELED: null,
  UNKNOWN: null,
};
