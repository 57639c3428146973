/** What became of an act: `asked` was handed to the workflow of the job, whose history says the rest. */
export const auditOutcomes = ['done', 'asked', 'refused', 'failed'] as const;
export type AuditOutcome = (typeof auditOutcomes)[number];

/** `temporal`: somebody who went to Temporal directly; known is only what Temporal tells. */
export const actorKinds = ['user', 'agent', 'temporal'] as const;
export type ActorKind = (typeof actorKinds)[number];

/** What can be acted on. */
export const targetKinds = [
  'job',
  'file',
  'upload',
  'function',
  'agent',
  'pool',
  'key',
  'user',
  'tenant',
] as const;
export type TargetKind = (typeof targetKinds)[number];

/** Operations that change something and leave no entry in the audit log, and why. All others do. */
export const notAudited: Readonly<Record<string, string>> = {
  beatAgent: 'Every agent says that it lives every few seconds; when it did last stands in the agent',
  reportJob: 'Progress and log lines come without end; they stand in the job and its logs, with the attempt',
};
