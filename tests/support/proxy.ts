import { connect, createServer, type AddressInfo, type Socket } from 'node:net';

export type Proxy = Awaited<ReturnType<typeof startProxy>>;

/** A way to a server that can be cut, or fall silent as a frozen machine does. */
export async function startProxy(host: string, port: number) {
  const sockets = new Set<Socket>();
  let [cut, frozen] = [false, false];
  const server = createServer({ allowHalfOpen: false }, (client) => {
    if (cut) return void client.destroy();
    const upstream = connect(port, host);
    for (const [one, other] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      sockets.add(one);
      one.on('data', (chunk) => void (frozen || other.destroyed || other.write(chunk)));
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
    restore(): void {
      drop();
      [cut, frozen] = [false, false];
    },
    stop(): void {
      drop();
      server.close();
    },
  };
}
