import { type BeforeApplicationShutdown, Injectable } from '@nestjs/common';
import { notAudited } from '@perdure/job/audit';
import type { PerdureError } from '@perdure/job/errors';
import { enterAudit, type NewAuditEntry } from '@perdure/store/admin';
import { PinoLogger } from 'nestjs-pino';
import { DatabaseService } from '../database/database.service.ts';
import type { Principal } from '../http/caller.ts';
import { statusFor } from '../http/problem.ts';
import { reasonOf } from '../http/reason.ts';
import type { Target } from './act.ts';
import { entriesOf } from './entries.ts';

/** So many refusals may wait to be entered; of more there is only a line in the logs. */
const maxWaiting = 10_000;
const atOnce = 500;

/** Enters what is no change in PostgreSQL; that is entered by `DatabaseService.change`. */
@Injectable()
export class AuditLog implements BeforeApplicationShutdown {
  private waiting: NewAuditEntry[] = [];
  private writing: Promise<void> | undefined;

  constructor(
    private readonly database: DatabaseService,
    private readonly logger: PinoLogger,
  ) {}

  /** Before it is done: nothing happens that no entry tells of. Throws 'unavailable', and then it must not be done. */
  async enter(caller: Principal, outcome: 'done' | 'asked', target: Target): Promise<void> {
    const entries = entriesOf(caller, outcome, [target]);
    await this.database.call(caller.tenantId, (db) => enterAudit(db, entries));
  }

  /** Refused, or failed. The answer does not wait for it, and does not depend on it. */
  refused(caller: Principal, error: PerdureError): void {
    const { operation, target } = caller.act;
    if (notAudited[operation] !== undefined) return;
    if (this.waiting.length >= maxWaiting) return this.lost(1, 'too many at once');
    const outcome = statusFor(error) >= 500 ? 'failed' : 'refused';
    this.waiting.push(...entriesOf(caller, outcome, [target], error.code));
    this.writing ??= this.write();
  }

  async beforeApplicationShutdown(): Promise<void> {
    await this.writing;
  }

  private async write(): Promise<void> {
    while (this.waiting.length > 0) {
      const entries = this.waiting.splice(0, atOnce);
      for (const [tenantId, some] of Map.groupBy(entries, (entry) => entry.tenantId)) {
        await this.database
          .call(tenantId, (db) => enterAudit(db, some))
          .catch((error: unknown) => this.lost(some.length, reasonOf(error)));
      }
    }
    this.writing = undefined;
  }

  private lost(count: number, reason: string): void {
    this.logger.warn({ count, reason }, 'refusals are not in the audit log');
  }
}
