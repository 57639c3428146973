import pc from 'picocolors';
import { readable } from './readable.ts';

export type Output = {
  /** Perdure's own words. */
  say(text: string): void;
  /** A line of a child process, shown behind its name. */
  line(source: string, text: string): void;
  /** Keeps the children's lines back while something else draws on the screen; the answer shows them, or drops them. */
  hold(): (then: 'show' | 'drop') => void;
  /** Shows no more lines of a source. */
  mute(source: string): void;
};

const colours = [pc.cyan, pc.magenta, pc.yellow, pc.blue, pc.green];
const widest = 'orchestrator'.length;

/** Writes what the children say to one stream, each line behind the coloured name of its source. */
export function makeOutput(write: (text: string) => void): Output {
  const sources: string[] = [];
  const muted = new Set<string>();
  const kept: string[] = [];
  let held = false;
  const show = (text: string): void => {
    if (held) kept.push(text);
    else write(text);
  };
  return {
    say: (text) => write(`${text}\n`),
    line(source, text) {
      if (muted.has(source)) return;
      if (!sources.includes(source)) sources.push(source);
      const colour = colours[sources.indexOf(source) % colours.length] ?? pc.white;
      show(`${colour(`${source.padEnd(widest)} │`)} ${readable(text)}\n`);
    },
    hold() {
      held = true;
      return (then) => {
        held = false;
        for (const text of kept.splice(0)) if (then === 'show') write(text);
      };
    },
    mute: (source) => void muted.add(source),
  };
}
