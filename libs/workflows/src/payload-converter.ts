import { defaultPayloadConverter, type Payload, type PayloadConverter } from '@temporalio/common';

/** What an undecodable payload becomes; a handler that parses its argument refuses it by name. */
export const undecodable = 'perdure: this payload cannot be decoded';

/**
 * The default converter, but it never throws while decoding. A throw there, before any handler runs, fails the workflow task, which
 * Temporal then retries for ever: anyone who can send a signal could wedge a job (temporalio/sdk-typescript#1174).
 */
export const payloadConverter: PayloadConverter = {
  toPayload: (value) => defaultPayloadConverter.toPayload(value),
  fromPayload<T>(payload: Payload): T {
    try {
      return defaultPayloadConverter.fromPayload<T>(payload);
    } catch {
      return undecodable as T;
    }
  },
};
