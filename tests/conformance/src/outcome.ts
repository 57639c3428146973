/** What a check says when the server breaks its rule: what was expected, and what came. */
export class Broken extends Error {
  readonly came: string;
  /** A command that shows it again, without the key. */
  readonly reproduce: string | undefined;

  constructor(expected: string, came: string, reproduce?: string) {
    super(expected);
    this.came = came;
    this.reproduce = reproduce;
  }
}

/** What a check says when the rule cannot be tried on this deployment. */
export class Skip extends Error {}

export type Outcome = {
  rule: string;
  title: string;
  result: 'passed' | 'failed' | 'skipped';
  ms: number;
  /** Why it was skipped. */
  reason?: string;
  expected?: string;
  came?: string;
  reproduce?: string | undefined;
};
