import { Injectable } from '@nestjs/common';
import { PerdureError } from '@perdure/job/errors';
import { type ByteRange, openStorage, type PutOptions, type Storage, type Stored } from '@perdure/storage';
import { announceBytes } from '@perdure/store/report';
import type { Readable } from 'node:stream';
import { DatabaseService } from '../database/database.service.ts';
import { Settings } from '../settings.ts';

/** The bytes of files and of large parameters. */
@Injectable()
export class StorageService {
  private readonly storage: Storage;

  constructor(
    { config }: Settings,
    private readonly database: DatabaseService,
  ) {
    this.storage = openStorage(config.storage.url, config.storage.access);
  }

  /** Throws 'unavailable' where the storage cannot take the bytes, such as a full disk: the caller has done nothing wrong. */
  put(bytes: AsyncIterable<Uint8Array>, options?: PutOptions): Promise<Stored> {
    return willing(this.storage.put(bytes, { ...options, announce: (sha256) => this.announce(sha256) }));
  }

  private async announce(sha256: string): Promise<() => Promise<void>> {
    const arrived = await this.database.across((db) => announceBytes(db, sha256));
    return () => this.database.across(arrived);
  }

  /** Throws as `put`. */
  putPart(upload: string, part: string, bytes: Uint8Array): Promise<void> {
    return willing(this.storage.putPart(upload, part, bytes));
  }

  readPart(upload: string, part: string): Promise<Readable> {
    return this.storage.readPart(upload, part);
  }

  removeParts(upload: string): Promise<void> {
    return this.storage.removeParts(upload);
  }

  read(sha256: string, range?: ByteRange): Promise<Readable> {
    return this.storage.read(sha256, range);
  }
}

async function willing<T>(stored: Promise<T>): Promise<T> {
  try {
    return await stored;
  } catch (error) {
    if (!(error instanceof PerdureError) || error.code !== 'upload-failed') throw error;
    throw new PerdureError('unavailable', 'The bytes cannot be stored now; nothing was kept of them', {
      cause: error,
    });
  }
}
