import proto from '@temporalio/proto';
import type { NativeConnection } from '@temporalio/worker';

const { NAMESPACE_STATE_DELETED } = proto.temporal.api.enums.v1.NamespaceState;
const grpcNotFound = 5;
/** One answer may be a server's mistake, and to believe it costs all that runs here. */
const believedAfter = 2;

/**
 * Rejects when the namespace is gone, or another has taken its name: that one has neither the search attributes nor the schedule that this
 * process made, and knows nothing of what the process holds. A server that is away says neither.
 */
export async function namespaceGone(
  connection: NativeConnection,
  namespace: string,
  everyMs: number,
): Promise<never> {
  const look = async (): Promise<string> => {
    const { namespaceInfo } = await connection.workflowService.describeNamespace({ namespace });
    return namespaceInfo?.state === NAMESPACE_STATE_DELETED ? 'gone' : (namespaceInfo?.id ?? 'gone');
  };
  const first = await look();
  let now = first;
  for (let misses = 0; misses < believedAfter; misses = now === first ? 0 : misses + 1) {
    await pause(everyMs);
    now = await look().catch((failure: unknown) => (isNotFound(failure) ? 'gone' : first));
  }
  throw new Error(`the namespace ${namespace} ${now === 'gone' ? 'is gone' : 'was made anew'}`);
}

function isNotFound(failure: unknown): boolean {
  return failure instanceof Error && 'code' in failure && failure.code === grpcNotFound;
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms).unref());
}
