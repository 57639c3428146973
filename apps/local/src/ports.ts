import { createServer } from 'node:net';
import getPort from 'get-port';

export type PortWish = { host: string; port: number; variable: string; what: string };

/** Gives each wish its port; 0 means any that is free. Throws an error that names every port that cannot be had, and its variable. */
export async function takePorts(wishes: readonly PortWish[]): Promise<number[]> {
  const problems: string[] = [];
  for (const [index, wish] of wishes.entries()) {
    if (wish.port === 0) continue;
    const rival = wishes.slice(0, index).find((other) => other.port === wish.port);
    const problem = rival === undefined ? await whyNot(wish) : `is also ${rival.variable}, for ${rival.what}`;
    if (problem !== undefined) {
      problems.push(`Port ${wish.port} for ${wish.what} ${problem}. Set ${wish.variable} to a free port.`);
    }
  }
  if (problems.length > 0) throw new Error(problems.join('\n'));
  const wanted = wishes.map((wish) => wish.port).filter((port) => port !== 0);
  const ports: number[] = [];
  for (const { port } of wishes)
    ports.push(port === 0 ? await getPort({ exclude: [...wanted, ...ports] }) : port);
  return ports;
}

function whyNot({ host, port }: PortWish): Promise<string | undefined> {
  return new Promise((settle) => {
    const server = createServer();
    server.once('error', (error: NodeJS.ErrnoException) =>
      settle(reasons[error.code ?? ''] ?? `cannot be used (${error.message})`),
    );
    server.listen({ host, port, exclusive: true }, () => server.close(() => settle(undefined)));
  });
}

const reasons: Record<string, string> = {
  EADDRINUSE: 'is taken by another program',
  EACCES: 'needs more rights than this user has',
};
