import { errorOf, PerdureUnreachable } from './problem.ts';

/** One request and its answer. It ends when the caller's signal says so, or when nothing has come for too long. */
export class Exchange {
  private readonly controller = new AbortController();
  private readonly outer: AbortSignal | undefined;
  private readonly signal: AbortSignal;
  private readonly patienceMs: number;
  /** Nothing has come for too long. */
  silent = false;

  constructor(outer: AbortSignal | undefined, patienceMs: number) {
    const own = this.controller.signal;
    this.outer = outer;
    this.signal = outer === undefined ? own : AbortSignal.any([outer, own]);
    this.patienceMs = patienceMs;
  }

  /** The answer, once its head is here. Throws the problem that it is, or that there is none. */
  async open(fetch: typeof globalThis.fetch, url: string, init: RequestInit): Promise<Response> {
    const response = await this.patiently(() => fetch(url, { ...init, signal: this.signal }));
    if (response.ok || response.status === 304) return response;
    throw await this.patiently(() => errorOf(response));
  }

  /** Waits for something to come, as long as the patience goes. */
  async patiently<T>(receive: () => Promise<T>): Promise<T> {
    const timer = setTimeout(() => {
      this.silent = true;
      this.controller.abort();
    }, this.patienceMs);
    try {
      return await receive();
    } catch (cause) {
      if (this.outer?.aborted === true) throw this.outer.reason;
      const what = this.silent ? `Nothing came for ${this.patienceMs / 1_000} s` : 'The connection failed';
      throw new PerdureUnreachable(`${what}${because(cause)}`, { cause });
    } finally {
      clearTimeout(timer);
    }
  }

  /** Ends the connection, if it still is. */
  close(): void {
    this.controller.abort();
  }
}

/** What `fetch` says is of little use; its cause (in Node) tells. */
function because(error: unknown): string {
  const { cause } = error as { cause?: { message?: string; code?: string } };
  const text = cause?.message || cause?.code;
  return text === undefined ? '' : `: ${text}`;
}
