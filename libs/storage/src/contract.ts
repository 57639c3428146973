import type { Readable } from 'node:stream';

export type PutOptions = {
  /** More bytes than this are refused with `payload-too-large`. */
  maxBytes?: number;
  /** Lower-case hex; other bytes are refused with `digest-mismatch`. */
  expectedSha256?: string;
  /** Ends the put; the reason of the signal is thrown, and nothing is kept. */
  signal?: AbortSignal;
  /** Told of the bytes before anybody can see them; what it answers is called once they are there. Where it rejects, nothing is kept. */
  announce?: (sha256: string) => Promise<() => Promise<void>>;
};

export type Stored = { sha256: string; size: number };

/** Both ends are included, as in HTTP; an end behind the last byte is the last byte. */
export type ByteRange = { start: number; end: number };

/**
 * Bytes, addressed by their SHA-256 in lower-case hex. Nothing is visible before it is complete and durable, and a put that
 * fails leaves nothing behind. Failures are `PerdureError`s with the cause; an error of the source itself is thrown as it is.
 */
export type Storage = {
  /** Streams, whatever the size. The same bytes again are no error. Throws `payload-too-large`, `digest-mismatch`, `upload-failed`. */
  put(bytes: AsyncIterable<Uint8Array>, options?: PutOptions): Promise<Stored>;
  /** Throws `not-found`, `range-not-satisfiable`, `unavailable`. */
  read(sha256: string, range?: ByteRange): Promise<Readable>;
  /** In bytes; undefined when there is nothing under this digest. */
  size(sha256: string): Promise<number | undefined>;
  has(sha256: string): Promise<boolean>;
  /** Removing what is not there is no error. */
  remove(sha256: string): Promise<void>;
  /**
   * Keeps a part of an upload that is under way, durably, in a place that belongs to this upload alone. Both names are
   * UUIDs. Throws `upload-failed`.
   */
  putPart(upload: string, part: string, bytes: Uint8Array): Promise<void>;
  /** Throws `not-found`, `unavailable`. */
  readPart(upload: string, part: string): Promise<Readable>;
  /** All of them, those included that a crash left half written. Throws `unavailable`. */
  removeParts(upload: string): Promise<void>;
  /** Throws `unavailable` when nothing could be stored now. */
  check(): Promise<void>;
};
