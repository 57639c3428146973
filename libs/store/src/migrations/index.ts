import type { Migration } from 'kysely/migration';
import { tenantsAndKeys } from './0001-tenants-and-keys.ts';
import { catalogue } from './0002-catalogue.ts';
import { jobs } from './0003-jobs.ts';
import { jobEventsAndLogs } from './0004-job-events-and-logs.ts';
import { files } from './0005-files.ts';
import { fleet } from './0006-fleet.ts';
import { eventStreams } from './0007-event-streams.ts';
import { logPartitions } from './0008-log-partitions.ts';
import { listsAndArchive } from './0009-lists-and-archive.ts';
import { reruns } from './0010-reruns.ts';
import { uploads } from './0011-uploads.ts';
import { runsAndRetention } from './0012-runs-and-retention.ts';
import { waitingReasons } from './0013-waiting-reasons.ts';
import { users } from './0014-users.ts';
import { storedBytes } from './0015-stored-bytes.ts';
import { requestCounts } from './0016-request-counts.ts';
import { rowLevelSecurity } from './0017-row-level-security.ts';
import { grants } from './0018-grants.ts';
import { audit } from './0019-audit.ts';
import { secrets } from './0021-secrets.ts';

/** In order of their names. One that was released is never changed: a change is a new file. */
export const migrations: Record<string, Migration> = {
  '0001-tenants-and-keys': tenantsAndKeys,
  '0002-catalogue': catalogue,
  '0003-jobs': jobs,
  '0004-job-events-and-logs': jobEventsAndLogs,
  '0005-files': files,
  '0006-fleet': fleet,
  '0007-event-streams': eventStreams,
  '0008-log-partitions': logPartitions,
  '0009-lists-and-archive': listsAndArchive,
  '0010-reruns': reruns,
  '0011-uploads': uploads,
  '0012-runs-and-retention': runsAndRetention,
  '0013-waiting-reasons': waitingReasons,
  '0014-users': users,
  '0015-stored-bytes': storedBytes,
  '0016-request-counts': requestCounts,
  '0017-row-level-security': rowLevelSecurity,
  '0018-grants': grants,
  '0019-audit': audit,
  '0021-secrets': secrets,
};
