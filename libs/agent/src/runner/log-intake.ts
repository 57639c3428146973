import { clip } from '@perdure/job/errors';
import type { Hooks, LogLine } from './contract.ts';

/** What one stage may write. Back-pressure keeps memory flat; this keeps the record from being filled by one job. */
export const logLimits = { lines: 100_000, characters: 32 * 1024 * 1024, lineLength: 8 * 1024 };

/** `at` is now when it is not said: a line that is dropped needs no time. */
type WrittenLine = Omit<LogLine, 'at'> & { at?: string };

export type LogIntake = {
  /** `cut`: so many characters were cut off already. Resolves when the next line may come; nothing to wait for where it is dropped. Never rejects. */
  take(line: WrittenLine, cut?: number): Promise<void> | undefined;
  finish(): Promise<void>;
};

/** Hands lines on in their order, one at a time, up to the limits; then counts, and says so in a marker line. */
export function logIntake(onLog: Hooks['onLog'], limits = logLimits): LogIntake {
  let [lines, characters, dropped] = [0, 0, 0];
  let tail = Promise.resolve();
  const pass = (line: LogLine): Promise<void> => {
    // A line that cannot be kept must not fail the function that wrote it.
    tail = tail.then(() => onLog(line)).catch(() => {});
    return tail;
  };
  return {
    take({ text, ...rest }, cut = 0) {
      lines += 1;
      characters += text.length;
      if (lines <= limits.lines && characters <= limits.characters) {
        const short = text.slice(0, limits.lineLength);
        const missing = cut + text.length - short.length;
        const note = missing > 0 ? `… (${missing} more characters cut)` : '';
        return pass({ at: now(), ...rest, text: clip(short + note, limits.lineLength + 100) });
      }
      dropped += 1;
      if (dropped > 1) return undefined;
      return pass(
        marker(
          `Lines are dropped from here on: the limit of ${limits.lines} lines or ${limits.characters} characters is reached`,
        ),
      );
    },
    async finish() {
      if (dropped > 0) await pass(marker(`${dropped} lines were dropped`));
      await tail;
    },
  };
}

function marker(text: string): LogLine {
  return { at: now(), stream: 'log', level: 'warn', text };
}

/** RFC 3339 with microseconds. */
export function now(): string {
  const micros = Math.round((performance.timeOrigin + performance.now()) * 1_000);
  const millis = Math.floor(micros / 1_000);
  return `${new Date(millis).toISOString().slice(0, -1)}${String(micros - millis * 1_000).padStart(3, '0')}Z`;
}
