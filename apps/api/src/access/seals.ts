import { Injectable } from '@nestjs/common';
import type { Json } from '@perdure/job/json';
import { sharedSecret } from '@perdure/store/admin';
import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto';
import { DatabaseService } from '../database/database.service.ts';

const algorithm = 'aes-256-gcm';
const ivBytes = 12;
const tagBytes = 16;

/**
 * What this API hands out and must know again when it comes back, and what is nobody else's business: AES-256-GCM. Each purpose has
 * a key of its own, derived from the secret that all replicas share by the database.
 */
@Injectable()
export class Seals {
  private secret: Buffer | undefined;
  private readonly keys = new Map<string, Buffer>();

  constructor(private readonly database: DatabaseService) {}

  /** Before the first request. Of several replicas that start on a new database, one makes the secret. */
  async prepare(): Promise<void> {
    this.secret = await this.database.across((db) => sharedSecret(db, 'seals', randomBytes(32)));
  }

  /** A text that `open` makes the value of again, for the same purpose and scope. */
  seal(purpose: string, scope: string, value: Json): string {
    const iv = randomBytes(ivBytes);
    const cipher = createCipheriv(algorithm, this.keyFor(purpose), iv).setAAD(Buffer.from(scope));
    const text = [cipher.update(JSON.stringify(value)), cipher.final()];
    return Buffer.concat([iv, cipher.getAuthTag(), ...text]).toString('base64url');
  }

  /** Undefined where this API has not sealed it for this very purpose and scope. */
  open(purpose: string, scope: string, sealed: string): Json | undefined {
    const bytes = Buffer.from(sealed, 'base64url');
    // Base64 that is written otherwise is not what was handed out.
    if (bytes.length < ivBytes + tagBytes || bytes.toString('base64url') !== sealed) return undefined;
    const tag = bytes.subarray(ivBytes, ivBytes + tagBytes);
    const cipher = createDecipheriv(algorithm, this.keyFor(purpose), bytes.subarray(0, ivBytes));
    cipher.setAAD(Buffer.from(scope)).setAuthTag(tag);
    try {
      const text = [cipher.update(bytes.subarray(ivBytes + tagBytes)), cipher.final()];
      return JSON.parse(Buffer.concat(text).toString()) as Json;
    } catch {
      return undefined;
    }
  }

  private keyFor(purpose: string): Buffer {
    const known = this.keys.get(purpose);
    if (known) return known;
    if (this.secret === undefined) throw new Error('seals are asked for before they are prepared');
    const key = Buffer.from(hkdfSync('sha256', this.secret, '', `perdure ${purpose}`, 32));
    this.keys.set(purpose, key);
    return key;
  }
}
