import { Injectable } from '@nestjs/common';
import type { Json } from '@perdure/job/json';
import { sharedSecret } from '@perdure/store/admin';
import { createHmac, hkdfSync, randomBytes, timingSafeEqual } from 'node:crypto';
import { DatabaseService } from '../database/database.service.ts';

/**
 * What this API hands out and must know again when it comes back: signed with HMAC-SHA-256, of which 128 bits are kept. Each purpose has
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

  /** A text that `open` makes the value of again, for the same purpose and scope. It can be read by whoever has it. */
  seal(purpose: string, scope: string, value: Json): string {
    const text = Buffer.from(JSON.stringify(value)).toString('base64url');
    return `${text}.${this.sign(purpose, scope, text).toString('base64url')}`;
  }

  /** Undefined where this API has not sealed it for this very purpose and scope. */
  open(purpose: string, scope: string, sealed: string): Json | undefined {
    const [text = '', signature = ''] = sealed.split('.', 2);
    const given = Buffer.from(signature, 'base64url');
    const right = this.sign(purpose, scope, text);
    if (given.length !== right.length || !timingSafeEqual(given, right)) return undefined;
    return JSON.parse(Buffer.from(text, 'base64url').toString()) as Json;
  }

  private sign(purpose: string, scope: string, text: string): Buffer {
    return createHmac('sha256', this.keyFor(purpose)).update(`${scope}\n${text}`).digest().subarray(0, 16);
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
