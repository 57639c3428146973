import type { Check, Kit } from './kit.ts';
import { Broken, type Outcome, Skip } from './outcome.ts';

const atOnce = 6;

/**
 * Runs the checks, some at a time, and then cancels what they have started. In the order of `checks`.
 *
 * @param timeout how long one check may take, in seconds
 */
export async function run(kit: Kit, checks: readonly Check[], timeout: number): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  const waiting = [...checks.entries()];
  const work = async (): Promise<void> => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      const [index, check] = next;
      outcomes[index] = await tried(check, kit, timeout);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, work));
  await Promise.all([...kit.jobs].map((id) => kit.cancel(id).catch(() => undefined)));
  return outcomes;
}

async function tried({ rule, title, run }: Check, kit: Kit, timeout: number): Promise<Outcome> {
  const begun = performance.now();
  const told = (rest: Pick<Outcome, 'result'> & Partial<Outcome>): Outcome => ({
    rule,
    title,
    ms: Math.round(performance.now() - begun),
    ...rest,
  });
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () => reject(new Broken(`the check to be over within ${timeout} s`, 'it is not')),
      timeout * 1_000,
    );
  });
  try {
    await Promise.race([run(kit), late]);
    return told({ result: 'passed' });
  } catch (error) {
    if (error instanceof Skip) return told({ result: 'skipped', reason: error.message });
    if (error instanceof Broken)
      return told({
        result: 'failed',
        expected: error.message,
        came: error.came,
        reproduce: error.reproduce,
      });
    return told({ result: 'failed', expected: 'an answer of the documented form', came: String(error) });
  } finally {
    clearTimeout(timer);
  }
}
