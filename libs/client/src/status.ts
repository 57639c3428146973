import type { JobStatus } from './generated.ts';

/** The statuses in which a job has ended. A test holds them against those of the service. */
export const terminalStatuses = ['COMPLETED', 'FAILED', 'CANCELED'] as const satisfies readonly JobStatus[];
export type TerminalStatus = (typeof terminalStatuses)[number];

export function isTerminal(status: JobStatus): status is TerminalStatus {
  return terminalStatuses.some((terminal) => terminal === status);
}
