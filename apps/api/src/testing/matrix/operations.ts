import { bytesAt, tusHeaders } from '../tus.ts';
import type { Who } from './expected.ts';
import type { Things } from './scene.ts';

/** Who may, and how it then answers; with which things its path is filled, and what is sent. */
export type Row = {
  who: Who;
  status: number;
  path?: Record<string, keyof Things>;
  query?: string;
  json?: unknown;
  raw?: string;
  headers?: Record<string, string>;
};

const job = { id: 'job' } as const;
const ended = { id: 'ended' } as const;
const file = { id: 'file' } as const;
const agent = { id: 'agentId' } as const;
const sharing = { user: { id: '0199f6a0-5c1e-7b3a-9d5e-2f6b8c4a1e70' }, access: 'viewer' };
const reading = (path: Row['path']): Row => ({ who: 'viewers', status: 200, path });

/** Every operation of the OpenAPI document. What answers 422 was let in, and changes nothing. */
export const operations: Record<string, Row> = {
  submitJob: { who: 'users', status: 201, json: { function: 'echo' } },
  submitJobs: { who: 'users', status: 207, json: { requests: [{ function: 'echo' }] } },
  listJobs: { who: 'users', status: 200 },
  countJobs: { who: 'operators', status: 200 },
  getJob: reading(job),
  getHistory: reading(job),
  getLogs: reading(job),
  getResult: reading(ended),
  streamJobEvents: reading(ended),
  // It would not end.
  streamEvents: { who: 'operators', status: 422, headers: { 'last-event-id': 'none' } },
  cancelJob: { who: 'editors', status: 202, path: job },
  reassignJob: { who: 'tenantStaff', status: 202, path: job, json: { anyone: true } },
  rerunJob: { who: 'editors', status: 201, path: ended },
  archiveJob: { who: 'editors', status: 200, path: ended },
  restoreJob: { who: 'editors', status: 200, path: ended },
  getJobAccess: reading(job),
  shareJob: { who: 'owners', status: 422, path: job, json: sharing },
  unshareJob: { who: 'owners', status: 204, path: { ...job, userId: 'unknown' } },

  uploadFile: { who: 'users', status: 201, raw: 'bytes' },
  getFile: { who: 'fileReaders', status: 200, path: file },
  getFileContent: { who: 'fileReaders', status: 200, path: file },
  signFile: { who: 'fileReaders', status: 200, path: file, json: {} },
  signUpload: { who: 'users', status: 422, json: {} },
  // Only with a signed URL.
  putFileContent: { who: 'users', status: 422, path: file, raw: 'bytes' },
  getFileAccess: reading(file),
  shareFile: { who: 'owners', status: 422, path: file, json: sharing },
  unshareFile: { who: 'owners', status: 204, path: { ...file, userId: 'unknown' } },
  getUploadAbilities: { who: 'users', status: 204, headers: tusHeaders() },
  createUpload: { who: 'users', status: 201, headers: tusHeaders({ 'upload-length': '3' }) },
  getUpload: { who: 'ownerAlone', status: 200, path: { id: 'upload' }, headers: tusHeaders() },
  continueUpload: { who: 'ownerAlone', status: 204, path: { id: 'upload' }, headers: bytesAt(0), raw: '' },
  deleteUpload: { who: 'ownerAlone', status: 204, path: { id: 'spareUpload' }, headers: tusHeaders() },

  listFunctions: { who: 'known', status: 200 },
  getFunction: { who: 'known', status: 200, path: { name: 'functionName', version: 'functionVersion' } },
  putFunction: {
    ...{ who: 'admins', status: 422, path: { name: 'functionName', version: 'functionVersion' } },
    json: {},
  },

  listAgents: { who: 'users', status: 200 },
  getAgent: { who: 'tenantUsers', status: 200, path: agent },
  registerAgent: { who: 'registrars', status: 422, json: {} },
  drainAgent: { who: 'tenantStaff', status: 202, path: agent },
  resumeAgent: { who: 'tenantStaff', status: 202, path: agent },
  listPools: { who: 'users', status: 200 },
  getPool: { who: 'tenantUsers', status: 200, path: { name: 'pool' } },
  createPool: { who: 'operators', status: 422, json: {} },
  // There is an agent in it.
  deletePool: { who: 'tenantStaff', status: 409, path: { name: 'pool' } },
  addToPool: { who: 'tenantStaff', status: 200, path: { name: 'pool', ...agent } },
  removeFromPool: { who: 'tenantStaff', status: 200, path: { name: 'pool', id: 'idleId' } },

  beatAgent: { who: 'holder', status: 200, path: agent, json: {} },
  // It has no free slot.
  claimJob: { who: 'holder', status: 204, path: agent, json: {} },
  reportJob: { who: 'holder', status: 200, path: job, json: { attempt: 1 } },
  uploadResultFile: { who: 'holder', status: 201, path: job, query: '?attempt=1&name=a.txt', raw: 'bytes' },
  completeJob: { who: 'holder', status: 422, path: job, json: { attempt: 1, result: 'none.txt' } },
  // No workflow runs that could be told.
  failJob: { who: 'holder', status: 503, path: job, json: { attempt: 1, detail: 'x' } },
  giveBackJob: { who: 'holder', status: 503, path: job, json: { attempt: 1 } },

  createKey: { who: 'users', status: 422, json: {} },
  listKeys: { who: 'users', status: 200 },
  revokeKey: { who: 'ownerAndAdmin', status: 204, path: { id: 'key' } },
  listAudit: { who: 'admins', status: 200 },
  createUser: { who: 'admins', status: 422, json: {} },
  listUsers: { who: 'operators', status: 200 },
  getUser: { who: 'tenantStaff', status: 200, path: { id: 'ownerId' } },
  changeUser: { who: 'tenantAdmins', status: 200, path: { id: 'ownerId' }, json: {} },
  createTenant: { who: 'installers', status: 422, json: {} },
  listTenants: { who: 'admins', status: 200 },
  getTenant: { who: 'tenantAdmins', status: 200, path: { id: 'tenantId' } },
  getMe: { who: 'known', status: 200 },

  livez: { who: 'anybody', status: 200 },
  // No worker runs.
  readyz: { who: 'anybody', status: 503 },
  metrics: { who: 'watchers', status: 200 },
};
