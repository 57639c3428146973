import { Injectable } from '@nestjs/common';
import { PerdureError } from '@perdure/job/errors';
import { type AccessLevel, isAtLeast, mayDo, mostOf } from '@perdure/job/permissions';
import { grantsAmong } from '@perdure/store/read';
import { DatabaseService } from '../database/database.service.ts';
import type { Identity } from '../http/caller.ts';

type JobLike = { id: string; owner: string };
type FileLike = { id: string; owner: string; jobId: string | null };
type Thing = { owner: string; jobId: string | null; fileId: string | null };

/**
 * What a user may do with a job or a file of its tenant: all with its own, and with all where its role says so; else what it was given. To whom
 * nothing was given it is not there. The file of a job is as visible as the job.
 */
@Injectable()
export class Visibility {
  constructor(private readonly database: DatabaseService) {}

  /** The job, if there is one to this caller. Throws 'forbidden' where the caller sees it and may not do that with it. */
  async job<Job extends JobLike>(
    caller: Identity,
    job: Job | undefined,
    needed: AccessLevel = 'viewer',
  ): Promise<Job | undefined> {
    const [access] = job === undefined ? [] : await this.levels(caller, [ofJob(job)]);
    return permitted(access, needed) ? job : undefined;
  }

  /** As `job`. */
  async file<File extends FileLike>(
    caller: Identity,
    file: File | undefined,
    needed: AccessLevel = 'viewer',
  ): Promise<File | undefined> {
    const [access] = file === undefined ? [] : await this.levels(caller, [ofFile(file)]);
    return permitted(access, needed) ? file : undefined;
  }

  /** Those that there are to this caller. */
  async jobsAmong<Job extends JobLike>(caller: Identity, jobs: readonly Job[]): Promise<Job[]> {
    const levels = await this.levels(caller, jobs.map(ofJob));
    return jobs.filter((_, index) => levels[index] !== null);
  }

  /** As `jobsAmong`. */
  async filesAmong<File extends FileLike>(caller: Identity, files: readonly File[]): Promise<File[]> {
    const levels = await this.levels(caller, files.map(ofFile));
    return files.filter((_, index) => levels[index] !== null);
  }

  /** In their order; null: it is not there. One's own cost no query, and all others together one. */
  private async levels(caller: Identity, things: readonly Thing[]): Promise<(AccessLevel | null)[]> {
    const { tenantId, userId } = caller;
    const isOwn = ({ owner }: Thing): boolean => owner === userId || mayDo(caller, 'jobs.all');
    const others = things.filter((one) => !isOwn(one));
    const asked = {
      jobIds: others.flatMap(({ jobId }) => jobId ?? []),
      fileIds: others.flatMap(({ fileId }) => fileId ?? []),
    };
    const given =
      others.length === 0 || userId === null
        ? []
        : await this.database.call(tenantId, (db) => grantsAmong(db, tenantId, userId, asked));
    return things.map((thing) => {
      if (isOwn(thing)) return 'owner';
      const { jobId, fileId } = thing;
      const its = given.filter((one) => one.jobId === (jobId ?? '') || one.fileId === (fileId ?? ''));
      return mostOf(its.map(({ access }) => access));
    });
  }
}

/** The user whose own and given jobs alone are in its lists; undefined: all of the tenant are. */
export function onlyOf(caller: Identity): string | undefined {
  return mayDo(caller, 'jobs.all') ? undefined : caller.id;
}

/** The one answer for what does not exist and for what does not to this caller. */
export function noSuch(kind: 'job' | 'file'): PerdureError {
  return new PerdureError('not-found', `There is no such ${kind}`);
}

function ofJob({ id: jobId, owner }: JobLike): Thing {
  return { owner, jobId, fileId: null };
}

function ofFile({ id: fileId, owner, jobId }: FileLike): Thing {
  return { owner, jobId, fileId };
}

function permitted(access: AccessLevel | null | undefined, needed: AccessLevel): boolean {
  if (access === null || access === undefined) return false;
  if (isAtLeast(access, needed)) return true;
  throw new PerdureError('forbidden', `This needs the access '${needed}'; yours is '${access}'`);
}
