import { Injectable } from '@nestjs/common';
import type { SignedUrl, SignRequest, SignUploadRequest } from '@perdure/job/schemas';
import { v7 as uuidv7 } from 'uuid';
import { type SignedMethod, SignedUrls } from '../access/signed-urls.ts';
import { AuditLog } from '../audit/audit-log.ts';
import type { Principal } from '../http/caller.ts';
import { invalid } from '../http/refusal.ts';
import { Settings } from '../settings.ts';
import { FilesService } from './files.service.ts';
import { fitName } from './names.ts';

/** What a URL for an upload fixes: the bytes are all that its user adds. */
export type SignedUpload = { name: string; mediaType: string; maxBytes: number };

/** Makes URLs that need no key: to read a file, or to make one. */
@Injectable()
export class SigningService {
  constructor(
    private readonly files: FilesService,
    private readonly urls: SignedUrls,
    private readonly settings: Settings,
    private readonly audit: AuditLog,
  ) {}

  async download(caller: Principal, id: string, { expiresInSeconds }: SignRequest): Promise<SignedUrl> {
    await this.files.get(caller, id);
    return this.sign(caller, { id, method: 'GET', seconds: expiresInSeconds });
  }

  async upload(
    caller: Principal,
    { name, mediaType, maxBytes, expiresInSeconds }: SignUploadRequest,
  ): Promise<SignedUrl> {
    const { fileBytes } = this.settings.config.limits;
    const about: SignedUpload = {
      name: fitName(name, '/name'),
      mediaType,
      maxBytes: Math.min(maxBytes ?? fileBytes, fileBytes),
    };
    return this.sign(caller, { id: uuidv7(), method: 'PUT', seconds: expiresInSeconds, about });
  }

  private async sign(
    caller: Principal,
    {
      id,
      method,
      seconds,
      about,
    }: { id: string; method: SignedMethod; seconds: number | undefined; about?: SignedUpload },
  ): Promise<SignedUrl> {
    const { defaultSeconds, maxSeconds } = this.settings.config.signedUrls;
    const life = seconds ?? defaultSeconds;
    if (life > maxSeconds) throw invalid('/expiresInSeconds', `is ${maxSeconds} at most`);
    await this.audit.enter(caller, 'done', { kind: 'file', id });
    const until = new Date(Date.now() + life * 1_000);
    const url = this.urls.sign(caller, { method, path: `/v1/files/${id}/content`, until, about });
    return { id, method, url, expiresAt: until.toISOString() };
  }
}
