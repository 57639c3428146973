import { Injectable } from '@nestjs/common';
import { PerdureError } from '@perdure/job/errors';
import { mayDo, type Permission } from '@perdure/job/permissions';
import type { FastifyReply } from 'fastify';
import type { AuthenticatedRequest } from '../http/caller.ts';
import { whenClosed } from '../http/closed.ts';
import { Access } from './access.ts';

/** How often those who stay are looked at; what is known of a key is a second old at most. */
const roundMs = 250;

type Visit = {
  authorization: string | undefined;
  permissions: readonly Permission[];
  guests: Set<AbortController>;
};

/** Those who wait for an answer or follow a stream: they stay only as long as a new request of theirs would be let in. */
@Injectable()
export class Visits {
  /** All who came with the same key for the same thing are asked for once. */
  private readonly visits = new Map<string, Visit>();
  private clock: NodeJS.Timeout | undefined;

  constructor(private readonly access: Access) {}

  /** Aborts when the client is gone, and when its key or token no longer works: then with the refusal as the reason. */
  during(request: AuthenticatedRequest, reply: FastifyReply): AbortSignal {
    const closed = whenClosed(reply);
    if (closed.aborted) return closed;
    const guest = new AbortController();
    const leave = this.join(request, guest);
    closed.addEventListener('abort', () => {
      leave();
      guest.abort();
    });
    return guest.signal;
  }

  private join({ headers, permission, principal }: AuthenticatedRequest, guest: AbortController): () => void {
    if (permission === undefined || principal === undefined)
      throw new Error('an operation without permission holds its answer back');
    const { authorization } = headers;
    // Who sees a job because it sees all of them goes once it does not.
    const permissions: Permission[] = mayDo(principal, 'jobs.all') ? [permission, 'jobs.all'] : [permission];
    const id = `${permissions.join()} ${authorization}`;
    const visit = this.visits.get(id) ?? { authorization, permissions, guests: new Set() };
    this.visits.set(id, visit);
    visit.guests.add(guest);
    this.clock ??= setInterval(() => void this.round(), roundMs).unref();
    return () => {
      visit.guests.delete(guest);
      if (visit.guests.size > 0) return;
      if (this.visits.get(id) === visit) this.visits.delete(id);
      if (this.visits.size > 0) return;
      clearInterval(this.clock);
      this.clock = undefined;
    };
  }

  private async round(): Promise<void> {
    await Promise.all([...this.visits.values()].map((visit) => this.look(visit)));
  }

  private async look({ authorization, permissions, guests }: Visit): Promise<void> {
    try {
      const principal = await this.access.principalOf(authorization);
      for (const permission of permissions) this.access.check(principal, permission);
    } catch (error) {
      const refused =
        error instanceof PerdureError && (error.code === 'unauthenticated' || error.code === 'forbidden');
      // Where nobody can tell, they stay.
      if (refused) for (const guest of guests) guest.abort(error);
    }
  }
}

/** Throws the refusal where that is what ended the waiting. */
export function mustStillBeLetIn(gone: AbortSignal): void {
  if (gone.reason instanceof PerdureError) throw gone.reason;
}
