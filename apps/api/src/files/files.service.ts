import { Injectable } from '@nestjs/common';
import { PerdureError } from '@perdure/job/errors';
import type { AccessLevel } from '@perdure/job/permissions';
import type { File } from '@perdure/job/schemas';
import type { Stored } from '@perdure/storage';
import { type FileRecord, getFile, isInputOf } from '@perdure/store/read';
import { insertFile } from '@perdure/store/submit';
import type { Readable } from 'node:stream';
import { v7 as uuidv7 } from 'uuid';
import { noSuch, Visibility } from '../access/visibility.ts';
import { DatabaseService } from '../database/database.service.ts';
import type { Principal } from '../http/caller.ts';
import { Settings } from '../settings.ts';
import { received } from './received.ts';
import { StorageService } from './storage.service.ts';
import type { Upload } from './uploads.ts';

@Injectable()
export class FilesService {
  constructor(
    private readonly database: DatabaseService,
    private readonly storage: StorageService,
    private readonly settings: Settings,
    private readonly visibility: Visibility,
  ) {}

  /** Streams to storage. Nothing is visible, and nothing stays, unless all bytes have come and match the digest announced. */
  async create(caller: Principal, upload: Upload, id: string = uuidv7()): Promise<FileRecord> {
    const { name, mediaType } = upload;
    const { sha256, size } = await this.store(upload);
    const file: FileRecord = {
      id,
      tenantId: caller.tenantId,
      owner: caller.id,
      name,
      mediaType,
      size,
      sha256,
      jobId: null,
      createdAt: new Date().toISOString(),
    };
    const made = await this.database.change(
      caller,
      (db) => insertFile(db, file),
      (fresh) => fresh && { kind: 'file', id: file.id },
    );
    if (made) return file;
    throw new PerdureError('id-taken', 'The file has been uploaded already: a signed URL takes it once');
  }

  /** The bytes alone: nobody can see them yet. */
  store({
    bytes,
    expectedSha256,
    maxBytes = this.settings.config.limits.fileBytes,
  }: Upload): Promise<Stored> {
    return this.storage.put(received(bytes), { maxBytes, expectedSha256 });
  }

  /** Throws 'forbidden' where the caller sees the file and has less access than is needed. */
  async get(caller: Principal, id: string, needed: AccessLevel = 'viewer'): Promise<FileRecord> {
    const { tenantId, agentId } = caller;
    const file = await this.database.call(tenantId, (db) => getFile(db, tenantId, id));
    const seen =
      agentId === null
        ? await this.visibility.file(caller, file, needed)
        : await this.inputOf(tenantId, agentId, file);
    if (seen === undefined) throw noSuch('file');
    return seen;
  }

  /** An agent sees the inputs of the jobs that it holds. */
  private async inputOf(
    tenantId: string,
    agentId: string,
    file: FileRecord | undefined,
  ): Promise<FileRecord | undefined> {
    const id = file?.id ?? '';
    return (await this.database.call(tenantId, (db) => isInputOf(db, tenantId, agentId, id)))
      ? file
      : undefined;
  }

  async read(
    { id, sha256 }: FileRecord,
    range: { start: number; end: number } | undefined,
  ): Promise<Readable> {
    try {
      return await this.storage.read(sha256, range);
    } catch (error) {
      if (!(error instanceof PerdureError) || error.code !== 'not-found') throw error;
      throw new Error(`the bytes of file ${id} are gone`, { cause: error });
    }
  }
}

export function toFile({ id, name, mediaType, size, sha256, createdAt }: FileRecord): File {
  const self = `/v1/files/${id}`;
  return {
    id,
    name,
    mediaType,
    size,
    sha256,
    createdAt: `${createdAt.slice(0, 23)}Z`,
    links: { self, content: `${self}/content` },
  };
}
