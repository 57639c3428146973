const [quote, backslash, colon, openBrace, openBracket, closeBrace, closeBracket] = Buffer.from('"\\:{[}]');

/** How deep JSON is nested and how many keys it has, found by its bytes as they come: what has too much of either is never parsed. */
export class JsonShape {
  deepest = 0;
  keys = 0;
  private now = 0;
  private inText = false;
  private escaped = false;

  scan(chunk: Uint8Array): void {
    for (const byte of chunk) {
      if (this.inText) this.scanText(byte);
      else if (byte === quote) this.inText = true;
      else if (byte === colon) this.keys++;
      else if (byte === openBrace || byte === openBracket) this.deepest = Math.max(this.deepest, ++this.now);
      else if (byte === closeBrace || byte === closeBracket) this.now--;
    }
  }

  private scanText(byte: number): void {
    if (this.escaped) this.escaped = false;
    else if (byte === backslash) this.escaped = true;
    else if (byte === quote) this.inText = false;
  }
}
