import { Injectable } from '@nestjs/common';
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

  put(bytes: AsyncIterable<Uint8Array>, options?: PutOptions): Promise<Stored> {
    return this.storage.put(bytes, options);
  }

  read(sha256: string, range?: ByteRange): Promise<Readable> {
    return this.storage.read(sha256, range);
  }
}
