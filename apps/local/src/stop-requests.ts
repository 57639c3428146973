/**
 * The wish to end, as a signal: Ctrl-C, SIGTERM, a closed terminal, or the death of the process that started this one. One Ctrl-C
 * arrives several times (from the terminal, from npm, from start.mjs): only the first counts.
 */
export function stopRequests(): { signal: AbortSignal } {
  const controller = new AbortController();
  const stop = (): void => controller.abort(new Error('Asked to end'));
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, stop);
  if (process.connected) {
    process.once('disconnect', stop);
    // The channel is there for its closing only; it keeps nothing alive.
    process.channel?.unref();
  }
  return { signal: controller.signal };
}
