import { LRUCache } from 'lru-cache';

/** Answers that may be a moment old: one question at a time for each key, asked again when its time is over. */
export class Kept<Value> {
  private readonly answers: LRUCache<string, { value: Promise<Value>; until: number }>;

  constructor(
    private readonly freshMs: number,
    maxKeys = 1_000,
  ) {
    this.answers = new LRUCache({ max: maxKeys });
  }

  get(key: string, ask: () => Promise<Value>): Promise<Value> {
    const kept = this.answers.get(key);
    if (kept && kept.until > Date.now()) return kept.value;
    const fresh = { value: ask(), until: Date.now() + this.freshMs };
    this.answers.set(key, fresh);
    // A failure is kept by nobody.
    fresh.value.catch(() => {
      if (this.answers.peek(key) === fresh) this.answers.delete(key);
    });
    return fresh.value;
  }
}
