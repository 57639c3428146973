import type { Exchange } from './exchange.ts';

/** The body of an answer as text, as it comes. */
export class TextStream {
  private readonly reader: ReadableStreamDefaultReader<Uint8Array>;
  private readonly decoder = new TextDecoder();
  private readonly exchange: Exchange;
  private first: string | undefined;

  private constructor(response: Response, exchange: Exchange) {
    this.exchange = exchange;
    if (response.body === null) throw new TypeError('The answer has no body');
    this.reader = response.body.getReader();
  }

  /** Open means that something has come, or nothing is to be told: a server that breaks off before that has not answered. */
  static async open(response: Response, exchange: Exchange): Promise<TextStream> {
    const stream = new TextStream(response, exchange);
    try {
      stream.first = await stream.read();
    } catch (error) {
      if (!exchange.silent) throw error;
    }
    return stream;
  }

  /** What came next; undefined at the end. Throws 'PerdureUnreachable' where it breaks off, or is silent for too long. */
  async next(): Promise<string | undefined> {
    const { first } = this;
    this.first = undefined;
    return first ?? this.read();
  }

  close(): void {
    this.exchange.close();
  }

  private async read(): Promise<string | undefined> {
    const { done, value } = await this.exchange.patiently(() => this.reader.read());
    return done ? undefined : this.decoder.decode(value, { stream: true });
  }
}
