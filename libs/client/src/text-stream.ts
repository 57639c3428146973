import { ByteStream } from './byte-stream.ts';
import type { Exchange } from './exchange.ts';

/** The body of an answer as text, as it comes. */
export class TextStream {
  private readonly bytes: ByteStream;
  private readonly decoder = new TextDecoder();
  private first: string | undefined;

  private constructor(bytes: ByteStream) {
    this.bytes = bytes;
  }

  /** Open means that something has come, or nothing is to be told: a server that breaks off before that has not answered. */
  static async open(response: Response, exchange: Exchange): Promise<TextStream> {
    const stream = new TextStream(new ByteStream(response, exchange));
    try {
      stream.first = await stream.read();
    } catch (error) {
      if (!exchange.silent) throw error;
    }
    return stream;
  }

  /** As `ByteStream.next`. */
  async next(): Promise<string | undefined> {
    const { first } = this;
    this.first = undefined;
    return first ?? this.read();
  }

  close(): void {
    this.bytes.close();
  }

  private async read(): Promise<string | undefined> {
    const bytes = await this.bytes.next();
    return bytes && this.decoder.decode(bytes, { stream: true });
  }
}
