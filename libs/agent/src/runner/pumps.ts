import { setTimeout as delay } from 'node:timers/promises';
import { type Line, linesOf } from './lines.ts';

/** How long the last lines are waited for when nothing comes any more. */
const quietMs = 1_000;

/** Reads the outputs of a process, line by line, no faster than the lines are taken. */
export function openPumps() {
  /** Lines that are being handed on at this moment, and those that ever came. */
  let handing = 0;
  let came = 0;
  return {
    async pump(
      stream: AsyncIterable<string>,
      maxLength: number,
      take: (line: Line) => Promise<void> | undefined,
    ): Promise<void> {
      try {
        for await (const lines of linesOf(stream, maxLength)) {
          for (const line of lines) {
            came += 1;
            const taken = take(line);
            // A line that is only counted costs no turn of the event loop: a flood of them is for nobody.
            if (taken === undefined) continue;
            handing += 1;
            await taken.finally(() => (handing -= 1));
          }
        }
      } catch {
        // The pipe was closed with the process.
      }
    },
    /** Resolves when nothing has come for a while and nothing is being handed on: something may hold a pipe open for ever. */
    async untilQuiet(): Promise<void> {
      let before: number;
      do {
        before = came;
        await delay(quietMs, undefined, { ref: false });
      } while (handing > 0 || came > before);
    },
  };
}
