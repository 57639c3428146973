const maxKeys = 1_000;

/** Answers that may be a moment old: one question at a time for each key, asked again when its time is over. */
export class Kept<Value> {
  private readonly answers = new Map<string, { value: Promise<Value>; until: number }>();

  constructor(private readonly freshMs: number) {}

  get(key: string, ask: () => Promise<Value>): Promise<Value> {
    const kept = this.answers.get(key);
    if (kept && kept.until > Date.now()) return kept.value;
    if (this.answers.size >= maxKeys) this.answers.clear();
    const value = ask();
    this.answers.set(key, { value, until: Date.now() + this.freshMs });
    // A failure is kept by nobody.
    value.catch(() => this.answers.delete(key));
    return value;
  }
}
