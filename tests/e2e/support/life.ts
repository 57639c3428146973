import { expect } from '@jest/globals';
import type { EventType } from '@perdure/job/transitions';
import type { JobsClient } from './jobs-client.ts';

/** The types of a job's events in order, once their numbers were found to be 1, 2, 3 … without a gap. */
export async function lifeOf(api: JobsClient, id: string): Promise<EventType[]> {
  const events = await api.history(id);
  expect(events.map(({ seq }) => seq)).toEqual(events.map((_, index) => index + 1));
  return events.map(({ type }) => type);
}

/** Nothing was lost and nothing happened twice: the job began once and was completed once. */
export async function expectCompletedOnce(api: JobsClient, id: string): Promise<void> {
  expect(await api.ended(id)).toMatchObject({ status: 'COMPLETED' });
  const life = await lifeOf(api, id);
  expect(life.slice(0, 2)).toEqual(['created', 'queued']);
  expect(life.filter((type) => type === 'uploaded')).toHaveLength(1);
  expect(life.at(-1)).toBe('uploaded');
}
