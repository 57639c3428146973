import pc from 'picocolors';

const levels: Record<number, string> = {
  10: pc.dim('trace'),
  20: pc.dim('debug'),
  30: pc.green('info '),
  40: pc.yellow('warn '),
  50: pc.red('error'),
  60: pc.red('fatal'),
};

/** Facts that are the same on every line of one process. */
const repeated = new Set(['level', 'time', 'msg', 'pid', 'hostname', 'name']);

/** A line of structured log (pino's JSON) as a person reads it; every other line as it is. */
export function readable(line: string): string {
  const entry = parse(line);
  if (entry === undefined) return line;
  const { level, time, msg, ...rest } = entry;
  const moment = new Date(typeof time === 'number' || typeof time === 'string' ? time : NaN);
  const clock = Number.isNaN(moment.valueOf()) ? '' : moment.toTimeString().slice(0, 8);
  const facts = Object.entries(rest)
    .filter(([name]) => !repeated.has(name))
    .map(([name, value]) => `${name}=${inWords(value)}`);
  return [pc.dim(clock), levels[Number(level)] ?? String(level), inWords(msg ?? ''), pc.dim(facts.join(' '))]
    .filter((part) => part !== '')
    .join(' ');
}

function parse(line: string): Record<string, unknown> | undefined {
  if (!line.startsWith('{')) return undefined;
  try {
    const entry: unknown = JSON.parse(line);
    return typeof entry === 'object' && entry !== null && 'level' in entry ? { ...entry } : undefined;
  } catch {
    return undefined;
  }
}

function inWords(value: unknown): string {
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return text.length > 500 ? `${text.slice(0, 499)}…` : text;
}
