import type { AuditOutcome } from '@perdure/job/audit';
import type { ErrorCode } from '@perdure/job/errors';
import type { NewAuditEntry } from '@perdure/store/admin';
import type { Principal } from '../http/caller.ts';
import type { Target } from './act.ts';

/** One entry for each that was acted on. */
export function entriesOf(
  { tenantId, id: actor, agentId, keyId, act }: Principal,
  outcome: AuditOutcome,
  targets: readonly (Target | null)[],
  code: ErrorCode | null = null,
): NewAuditEntry[] {
  const { operation: action, reason, requestId, address } = act;
  const actorKind = agentId === null ? 'user' : 'agent';
  return targets.map((target) => ({
    tenantId,
    actorKind,
    actor,
    keyId,
    action,
    targetKind: target?.kind ?? null,
    target: target?.id ?? null,
    outcome,
    code,
    reason,
    requestId,
    address,
  }));
}
