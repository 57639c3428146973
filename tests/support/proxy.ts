import { connect, createServer, type AddressInfo, type Socket } from 'node:net';

export type Proxy = Awaited<ReturnType<typeof startProxy>>;

/** A way to a server that can be cut, be slow, fall silent as a frozen machine does, or lose an answer. */
export async function startProxy(host: string, port: number) {
  const sockets = new Set<Socket>();
  let [cut, frozen] = [false, false];
  let delayMs = 0;
  let losing: { word: string; thenCut: boolean } | undefined;
  const server = createServer({ allowHalfOpen: false }, (client) => {
    if (cut) return void client.destroy();
    const upstream = connect(port, host);
    let lost = false;
    const pass = (chunk: Buffer, from: Socket, to: Socket): void => {
      if (frozen || to.destroyed) return;
      if (from === client && losing !== undefined && chunk.includes(losing.word)) lost = true;
      if (from === client || !lost) return void to.write(chunk);
      if (losing?.thenCut === true) cut = true;
      losing = undefined;
      if (cut) drop();
      else client.destroy();
    };
    for (const [one, other] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      sockets.add(one);
      one.on('data', (chunk) => {
        if (delayMs === 0) pass(chunk, one, other);
        else setTimeout(pass, delayMs, chunk, one, other);
      });
      one.on('error', () => {});
      one.on('close', () => {
        sockets.delete(one);
        other.destroy();
      });
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const drop = (): void => sockets.forEach((socket) => socket.destroy());
  return {
    port: (server.address() as AddressInfo).port,
    cut(): void {
      cut = true;
      drop();
    },
    freeze(): void {
      frozen = true;
    },
    /** So much later comes everything, each way. */
    slow(ms: number): void {
      delayMs = ms;
    },
    /** The next question with this word reaches the server; its answer does not come, and `thenCut` nothing any more. */
    loseAnswerTo(word: string, { thenCut = false } = {}): void {
      losing = { word, thenCut };
    },
    restore(): void {
      drop();
      [cut, frozen] = [false, false];
      delayMs = 0;
      losing = undefined;
    },
    stop(): void {
      drop();
      server.close();
    },
  };
}
