import type { Exchange } from './exchange.ts';

/** The body of an answer, as it comes. */
export class ByteStream {
  readonly response: Response;
  private readonly exchange: Exchange;
  private reader: ReadableStreamDefaultReader<Uint8Array> | undefined;

  constructor(response: Response, exchange: Exchange) {
    this.response = response;
    this.exchange = exchange;
  }

  /** What came next; undefined at the end. Throws 'PerdureUnreachable' where it breaks off, or is silent for too long. */
  async next(): Promise<Uint8Array | undefined> {
    // What is empty may come without a body.
    const body: ReadableStream<Uint8Array> | null = this.response.body;
    const reader = (this.reader ??= body?.getReader());
    if (reader === undefined) return undefined;
    const { done, value } = await this.exchange.patiently(() => reader.read());
    return done ? undefined : value;
  }

  /** All of it, instead. */
  json<T>(): Promise<T> {
    return this.exchange.patiently(async () => (await this.response.json()) as T);
  }

  close(): void {
    this.exchange.close();
  }
}
