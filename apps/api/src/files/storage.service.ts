import { Injectable } from '@nestjs/common';
import { PerdureError } from '@perdure/job/errors';
import { type ByteRange, openStorage, type PutOptions, type Storage, type Stored } from '@perdure/storage';
import type { Readable } from 'node:stream';
import { Settings } from '../settings.ts';

/** The bytes of files and of large parameters. */
@Injectable()
export class StorageService {
  private readonly storage: Storage;

  constructor({ config }: Settings) {
    this.storage = openStorage(config.storage.url, config.storage.access);
  }

  /** Throws 'unavailable' where the storage cannot take the bytes, such as a full disk: the caller has done nothing wrong. */
  async put(bytes: AsyncIterable<Uint8Array>, options?: PutOptions): Promise<Stored> {
    try {
      return await this.storage.put(bytes, options);
    } catch (error) {
      if (!(error instanceof PerdureError) || error.code !== 'upload-failed') throw error;
      throw new PerdureError('unavailable', 'The bytes cannot be stored now; nothing was kept', {
        cause: error,
      });
    }
  }

  read(sha256: string, range?: ByteRange): Promise<Readable> {
    return this.storage.read(sha256, range);
  }
}
