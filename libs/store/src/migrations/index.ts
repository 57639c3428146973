import type { Migration } from 'kysely/migration';
import * as tenantsAndKeys from './0001-tenants-and-keys.ts';
import * as catalogue from './0002-catalogue.ts';
import * as jobs from './0003-jobs.ts';
import * as jobEventsAndLogs from './0004-job-events-and-logs.ts';
import * as files from './0005-files.ts';

/** In order of their names. One that was released is never changed: a change is a new file. */
export const migrations: Record<string, Migration> = {
  '0001-tenants-and-keys': tenantsAndKeys,
  '0002-catalogue': catalogue,
  '0003-jobs': jobs,
  '0004-job-events-and-logs': jobEventsAndLogs,
  '0005-files': files,
};
