import { searchAttributeNames } from '@perdure/workflows/search-attributes';
import proto from '@temporalio/proto';
import type { NativeConnection } from '@temporalio/worker';

const { INDEXED_VALUE_TYPE_KEYWORD } = proto.temporal.api.enums.v1.IndexedValueType;

/**
 * Registers the search attributes that a namespace lacks. Without them every start of a job would be refused, so that a failure here ends the worker.
 */
export async function ensureSearchAttributes(connection: NativeConnection, namespace: string): Promise<void> {
  const { customAttributes } = await connection.operatorService.listSearchAttributes({ namespace });
  const missing = searchAttributeNames.filter((name) => customAttributes[name] === undefined);
  if (missing.length === 0) return;
  try {
    await connection.operatorService.addSearchAttributes({
      namespace,
      searchAttributes: Object.fromEntries(missing.map((name) => [name, INDEXED_VALUE_TYPE_KEYWORD])),
    });
  } catch (cause) {
    const commands = missing.map(
      (name) =>
        `temporal operator search-attribute create --namespace ${namespace} --name ${name} --type Keyword`,
    );
    throw new Error(
      `The namespace ${namespace} lacks search attributes, and they could not be registered. Run: ${commands.join('; ')}`,
      { cause },
    );
  }
}
