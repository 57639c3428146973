import { defineSearchAttributeKey, SearchAttributeType } from '@temporalio/common';

/** What operators can filter by in the Temporal UI. All are keywords. */
export const searchAttributes = {
  status: defineSearchAttributeKey('JobStatus', SearchAttributeType.KEYWORD),
  function: defineSearchAttributeKey('JobFunction', SearchAttributeType.KEYWORD),
  tenant: defineSearchAttributeKey('JobTenant', SearchAttributeType.KEYWORD),
  agent: defineSearchAttributeKey('JobAgent', SearchAttributeType.KEYWORD),
  pool: defineSearchAttributeKey('JobPool', SearchAttributeType.KEYWORD),
  model: defineSearchAttributeKey('JobModel', SearchAttributeType.KEYWORD),
} as const;

export const searchAttributeNames = Object.values(searchAttributes).map((key) => key.name);
