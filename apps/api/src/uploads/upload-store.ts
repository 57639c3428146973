import { PerdureError } from '@perdure/job/errors';
import type { Stored } from '@perdure/storage';
import {
  appendPart,
  completeUpload,
  createUpload,
  expireUpload,
  getUpload,
  listParts,
  type UploadRecord,
} from '@perdure/store/submit';
import { DataStore, Metadata, Upload } from '@tus/server';
import type { Readable } from 'node:stream';
import { v4 as uuidv4, v7 as uuidv7 } from 'uuid';
import type { DatabaseService } from '../database/database.service.ts';
import type { StorageService } from '../files/storage.service.ts';
import type { Principal } from '../http/caller.ts';
import { fileIn } from './metadata.ts';

/** So many bytes are in memory, and are lost when the process dies: one request of S3 stores them. */
const partBytes = 8 * 1024 ** 2;

/** What the tus server needs, for the uploads of one caller: those of others are not there. */
export class UploadStore extends DataStore {
  override extensions = ['creation', 'creation-with-upload', 'termination', 'expiration'];
  /** The file that the upload of this request has become. */
  fileId: string | null = null;
  private readonly uploader: { tenantId: string; owner: string };

  constructor(
    private readonly database: DatabaseService,
    private readonly storage: StorageService,
    private readonly caller: Principal,
    private readonly expiryMs: number,
  ) {
    super();
    this.uploader = { tenantId: caller.tenantId, owner: caller.id };
  }

  override getExpiration(): number {
    return this.expiryMs;
  }

  override async create(asked: Upload): Promise<Upload> {
    const metadata = asked.metadata ? Metadata.stringify(asked.metadata) : '';
    fileIn(metadata);
    const upload = { ...this.uploader, id: asked.id, metadata, size: asked.size ?? 0 };
    const created = await this.database.change(
      this.caller,
      (db) => createUpload(db, upload, this.expiryMs),
      ({ id }) => ({ kind: 'upload', id }),
    );
    if (created.size === 0) await this.complete(created, 0, Buffer.alloc(0));
    asked.creation_date = created.createdAt;
    return asked;
  }

  override async getUpload(id: string): Promise<Upload> {
    const { metadata, size, received: offset, createdAt: creation_date } = await this.find(id);
    return new Upload({
      id,
      size,
      offset,
      creation_date,
      ...(metadata === '' ? {} : { metadata: Metadata.parse(metadata) }),
    });
  }

  /** Every part that is full is durable before the next one is read; so is what came before a connection broke. */
  override async write(stream: Readable, id: string, offset: number): Promise<number> {
    const upload = await this.find(id);
    if (upload.fileId !== null) return offset;
    let at = offset;
    let held: Buffer[] = [];
    let size = 0;
    for await (const chunk of stream as AsyncIterable<Buffer>) {
      held.push(chunk);
      size += chunk.length;
      // The last part is never stored as one: with it, the upload becomes a file or stays as it is.
      if (size < partBytes || at + size >= upload.size) continue;
      await this.append(upload, at, Buffer.concat(held, size));
      at += size;
      [held, size] = [[], 0];
    }
    const rest = Buffer.concat(held, size);
    if (at + size === upload.size) await this.complete(upload, at, rest);
    else if (size > 0) await this.append(upload, at, rest);
    return at + size;
  }

  override async remove(id: string): Promise<void> {
    const upload = await this.find(id);
    await this.database.change(
      this.caller,
      (db) => expireUpload(db, upload),
      () => ({ kind: 'upload', id }),
    );
  }

  private async find(id: string): Promise<UploadRecord> {
    const upload = await this.database.call(this.uploader.tenantId, (db) => getUpload(db, this.uploader, id));
    if (upload === undefined)
      throw new PerdureError('not-found', 'There is no such upload, or its time is over');
    this.fileId = upload.fileId;
    return upload;
  }

  private async append(upload: UploadRecord, at: number, bytes: Buffer): Promise<void> {
    const part = { id: uuidv4(), at, size: bytes.length };
    await this.storage.putPart(upload.id, part.id, bytes);
    if (!(await this.database.call(this.uploader.tenantId, (db) => appendPart(db, upload, part))))
      await this.overtaken(upload);
  }

  /** Reads the parts once more: only all of them together have a digest. Other bytes than those announced end the upload. */
  private async complete(upload: UploadRecord, at: number, last: Buffer): Promise<void> {
    const { name, mediaType, sha256 } = fileIn(upload.metadata);
    const parts = await this.database.call(this.uploader.tenantId, (db) => listParts(db, upload));
    const stored = await this.storage
      .put(this.joined(upload.id, parts, last), { maxBytes: upload.size, expectedSha256: sha256 })
      .catch(async (error: unknown): Promise<Stored> => {
        const wrong = error instanceof PerdureError && error.code === 'digest-mismatch';
        if (wrong) await this.database.call(this.uploader.tenantId, (db) => expireUpload(db, upload));
        throw error;
      });
    const createdAt = new Date().toISOString();
    const file = { id: uuidv7(), ...this.uploader, name, mediaType, ...stored, jobId: null, createdAt };
    const completed = await this.database.change(
      this.caller,
      (db) => completeUpload(db, upload, at, file),
      (done) => done && { kind: 'file', id: file.id },
    );
    if (!completed) await this.overtaken(upload);
    this.fileId = file.id;
    // Where this fails, the housekeeping does it when the time of the upload is over.
    await this.storage.removeParts(upload.id).catch(() => undefined);
  }

  private async *joined(upload: string, parts: readonly string[], last: Buffer): AsyncGenerator<Uint8Array> {
    for (const part of parts) yield* await this.storage.readPart(upload, part);
    yield last;
  }

  /** Another request was quicker, or ended the upload: then nobody else may come to take away what this one has stored. */
  private async overtaken(upload: UploadRecord): Promise<never> {
    const there = await this.database.call(this.uploader.tenantId, (db) =>
      getUpload(db, this.uploader, upload.id),
    );
    if (there === undefined || there.fileId !== null) await this.storage.removeParts(upload.id);
    throw new PerdureError('upload-conflict', 'Another request has written to this upload, or ended it');
  }
}
