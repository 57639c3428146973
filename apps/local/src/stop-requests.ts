/** Thrown out of whatever was going on when the wish to end came. */
export class StopRequested extends Error {
  override readonly name = 'StopRequested';
}

/**
 * The wish to end, as a signal and as a promise: Ctrl-C, SIGTERM, a closed terminal or pipe, or the death of the process that
 * started this one. One Ctrl-C arrives several times (from the terminal, from npm, from start.mjs): only the first counts.
 */
export function stopRequests(): { signal: AbortSignal; asked: Promise<void> } {
  const controller = new AbortController();
  const { signal } = controller;
  const stop = (): void => controller.abort(new StopRequested('Asked to end'));
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(name, stop);
  // Without this, a reader that goes away (`npm start | head`) would end this process at once, and nobody the others.
  process.stdout.on('error', stop);
  process.stderr.on('error', stop);
  if (process.connected) {
    process.once('disconnect', stop);
    // The channel is there for its closing only; it keeps nothing alive.
    process.channel?.unref();
  }
  return {
    signal,
    asked: new Promise((settle) => signal.addEventListener('abort', () => settle(), { once: true })),
  };
}
