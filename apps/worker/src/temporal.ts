import type { WorkerConfig } from '@perdure/config/worker';
import { NativeConnection } from '@temporalio/worker';

export function connect({ temporal }: WorkerConfig): Promise<NativeConnection> {
  const { address, apiKey, tls } = temporal;
  return NativeConnection.connect({
    address,
    ...(apiKey === undefined ? {} : { apiKey }),
    ...(tls === undefined ? {} : { tls }),
  });
}
