import { setTimeout as pause } from 'node:timers/promises';
import pg from 'pg';
import { type Change, channel, parseNotification } from './notify.ts';

export type { Change } from './notify.ts';
export type Listener = { close(): Promise<void> };

const longestPauseMs = 5_000;
/** A connection that died without a word shows within twice this time. */
const probeEveryMs = 10_000;

/**
 * Calls `onChange` when a job has changed, or has a new log line (then at an unchanged revision), whichever process wrote it.
 * Calls `onReconnected` each time that listening begins, the first time included: changes before that were not
 * heard, so whoever waits must read again. Reconnects for ever; closing ends it.
 */
export function listenForChanges(
  url: string,
  onChange: (change: Change) => void,
  onReconnected: () => void,
): Listener {
  const closing = new AbortController();
  const ended = keepListening(url, onChange, onReconnected, closing.signal);
  return {
    close: async () => {
      closing.abort();
      await ended;
    },
  };
}

async function keepListening(
  url: string,
  onChange: (change: Change) => void,
  onReconnected: () => void,
  signal: AbortSignal,
): Promise<void> {
  let pauseMs = 100;
  while (!signal.aborted) {
    const heard = await listenOnce(url, onChange, onReconnected, signal);
    if (heard) pauseMs = 100;
    // Aborted: closing does not wait for the pause.
    await pause(pauseMs, undefined, { signal, ref: false }).catch(() => {});
    pauseMs = Math.min(pauseMs * 2, longestPauseMs);
  }
}

/** Listens until the connection ends. Returns whether it came to that at all. */
async function listenOnce(
  url: string,
  onChange: (change: Change) => void,
  onReconnected: () => void,
  signal: AbortSignal,
): Promise<boolean> {
  const client = new pg.Client({
    connectionString: url,
    application_name: 'perdure-listen',
    keepAlive: true,
    connectionTimeoutMillis: probeEveryMs,
    query_timeout: probeEveryMs,
  });
  let aborted: () => void = () => {};
  const over = new Promise<void>((resolve) => {
    // A lost connection fires `error` (twice) and then `end`; a failed connect only `error`.
    client.on('error', () => resolve());
    client.on('end', () => resolve());
    aborted = resolve;
    signal.addEventListener('abort', aborted);
  });
  client.on('notification', ({ payload }) => {
    const change = parseNotification(payload);
    if (change) onChange(change);
  });
  let probe: NodeJS.Timeout | undefined;
  try {
    await client.connect();
    await client.query(`listen ${channel}`);
    if (signal.aborted) return true;
    onReconnected();
    const lost = new Promise<void>((resolve) => {
      probe = setInterval(() => void client.query('select 1').catch(() => resolve()), probeEveryMs).unref();
    });
    await Promise.race([over, lost]);
    return true;
  } catch {
    return false;
  } finally {
    clearInterval(probe);
    signal.removeEventListener('abort', aborted);
    void client.end().catch(() => {});
  }
}
