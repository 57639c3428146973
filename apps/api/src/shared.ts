/** One answer for all who ask the same while it is being sought. */
export class Shared<Value> {
  private readonly sought = new Map<string, Promise<Value>>();

  get(key: string, seek: () => Promise<Value>): Promise<Value> {
    const known = this.sought.get(key);
    if (known) return known;
    const value = seek().finally(() => this.sought.delete(key));
    this.sought.set(key, value);
    return value;
  }
}
