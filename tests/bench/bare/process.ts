import { DefaultLogger, NativeConnection, Runtime, type Worker } from '@temporalio/worker';

/** As quiet as Perdure's own workers: logging must not be what is measured. */
export function connect(address: string): Promise<NativeConnection> {
  Runtime.install({ logger: new DefaultLogger('WARN') });
  return NativeConnection.connect({ address });
}

/** Runs workers until SIGTERM, at which the SDK shuts all of them down by itself, and leaves nothing open. */
export async function runUntilSignal(
  workers: readonly Worker[],
  connection: NativeConnection,
): Promise<void> {
  try {
    await Promise.all(workers.map((worker) => worker.run()));
  } finally {
    await connection.close();
  }
}
