import { searchAttributeNames } from '@perdure/workflows/search-attributes';
import { Connection } from '@temporalio/client';
import { msToTs } from '@temporalio/common/lib/time.js';
import proto from '@temporalio/proto';
import { randomBytes } from 'node:crypto';
import { fromSetup } from './from-setup.ts';
import { waitFor } from './wait.ts';

/** Where the Temporal server of the tests is. */
export function temporalAddress(): string {
  return fromSetup('TEST_TEMPORAL_ADDRESS');
}

/** The program `temporal`, for tests that start a server of their own or act as an operator. */
export function temporalProgram(): string {
  return fromSetup('TEST_TEMPORAL_PROGRAM');
}

/** Registers a new namespace with Perdure's search attributes, and answers when it can be used: no test sees another one's workflows. */
export async function freshNamespace(): Promise<string> {
  const namespace = `test-${randomBytes(8).toString('hex')}`;
  const connection = await Connection.connect({ address: temporalAddress() });
  try {
    await connection.workflowService.registerNamespace({
      namespace,
      workflowExecutionRetentionPeriod: msToTs('1 day'),
    });
    const keyword = proto.temporal.api.enums.v1.IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD;
    const wanted = Object.fromEntries(searchAttributeNames.map((name) => [name, keyword]));
    await waitFor(
      async () => {
        await connection.operatorService.addSearchAttributes({ namespace, searchAttributes: wanted });
        return true;
      },
      { what: `search attributes in ${namespace}` },
    );
    await waitFor(
      async () => {
        const { customAttributes } = await connection.operatorService.listSearchAttributes({ namespace });
        return searchAttributeNames.every((name) => name in (customAttributes ?? {}));
      },
      { what: `${namespace} to know its search attributes` },
    );
    return namespace;
  } finally {
    await connection.close();
  }
}
