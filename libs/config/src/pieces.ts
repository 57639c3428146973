import { isAbsolute, resolve } from 'node:path';

import type { z } from 'zod';

import { oneOf, optional, pemFile, text, wholeNumber } from './variable.ts';

export const databaseUrl = text(
  'the address of a PostgreSQL database, like postgres://user:password@host:5432/perdure',
  /^postgres(ql)?:\/\/\S+$/,
  { secret: true },
);

/** Variables that several processes read. `DATABASE_URL` and `STORAGE_URL` are set by `npm start` for its own children. */
export const database = {
  DATABASE_URL: databaseUrl,
  DATABASE_POOL_SIZE: wholeNumber('the most connections to the database', 1, 1_000, '10'),
};

export const storageUrl = text(
  'file:/an/absolute/folder, or s3://bucket/prefix?endpoint=…&region=…&forcePathStyle=true',
  /^(file:(\/\/)?\/[^/\s]|s3:\/\/[^/?\s]+)/,
);

export const storage = {
  STORAGE_URL: storageUrl,
  MAX_FILE_BYTES: wholeNumber(
    'the largest file, in bytes',
    1,
    Number.MAX_SAFE_INTEGER,
    String(10 * 1024 ** 3),
  ),
  AWS_ACCESS_KEY_ID: optional(text('the id of an access key for S3', /^\S+$/)),
  AWS_SECRET_ACCESS_KEY: optional(text('the secret of that access key', /^\S+$/, { secret: true })),
  AWS_SESSION_TOKEN: optional(text('the session token of temporary credentials', /^\S+$/, { secret: true })),
  AWS_REGION: optional(text('a region like eu-central-1', /^[a-z0-9-]+$/)),
};

const addressForm = 'host:port of a Temporal server, like 127.0.0.1:7233';
const address = /^[^\s:/]+:\d{1,5}$/;
export const ownTemporalAddress = optional(text(addressForm, address));

export const temporal = {
  TEMPORAL_ADDRESS: text(addressForm, address, { fallback: '127.0.0.1:7233' }),
  TEMPORAL_NAMESPACE: text('the name of a namespace', /^\S+$/, { fallback: 'default' }),
  TEMPORAL_API_KEY: optional(text('an API key of Temporal Cloud', /^\S+$/, { secret: true })),
  TEMPORAL_TLS_CERT: optional(pemFile('the path of the PEM file of the client certificate')),
  TEMPORAL_TLS_KEY: optional(pemFile('the path of the PEM file of the key of the client certificate')),
  TEMPORAL_TLS_CA: optional(
    pemFile('the path of the PEM file of the authority that signed the server certificate'),
  ),
  TEMPORAL_TLS_SERVER_NAME: optional(text('the name in the server certificate', /^\S+$/)),
};

export const logLevel = {
  LOG_LEVEL: oneOf(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'], 'info'),
};

export const adminKey = {
  PERDURE_ADMIN_KEY: optional(
    text('a key of 20 to 200 letters, digits, _ and -', /^[A-Za-z0-9_-]{20,200}$/, { secret: true }),
  ),
};

export const home = {
  PERDURE_HOME: text('the path of a folder', /^[^\0]+$/, { fallback: '.perdure' }),
};

/** `PERDURE_HOME` as an absolute path: child processes may run elsewhere. */
export function homeOf(env: { PERDURE_HOME: string }): string {
  return isAbsolute(env.PERDURE_HOME) ? env.PERDURE_HOME : resolve(env.PERDURE_HOME);
}

type Parsed<Shape extends z.ZodRawShape> = z.output<z.ZodObject<Shape>>;

/** What `openStorage` takes. Without a key the AWS library looks for credentials itself (instance and task roles). */
export function storageOf(env: Parsed<typeof storage>) {
  const {
    AWS_ACCESS_KEY_ID: accessKeyId,
    AWS_SECRET_ACCESS_KEY: secretAccessKey,
    AWS_SESSION_TOKEN: sessionToken,
  } = env;
  const credentials =
    accessKeyId && secretAccessKey ? { accessKeyId, secretAccessKey, sessionToken } : undefined;
  return { url: env.STORAGE_URL, access: { credentials, region: env.AWS_REGION } };
}

/** What a Temporal connection takes; TLS is on as soon as anything is said about it, or an API key is given. */
export function temporalOf(env: Omit<Parsed<typeof temporal>, 'TEMPORAL_ADDRESS'>) {
  const {
    TEMPORAL_TLS_CERT: crt,
    TEMPORAL_TLS_KEY: key,
    TEMPORAL_TLS_CA: ca,
    TEMPORAL_TLS_SERVER_NAME: serverName,
  } = env;
  const tls = {
    ...(crt && key ? { clientCertPair: { crt, key } } : {}),
    ...(ca ? { serverRootCACertificate: ca } : {}),
    ...(serverName ? { serverNameOverride: serverName } : {}),
  };
  const wanted = Object.keys(tls).length > 0 || env.TEMPORAL_API_KEY !== undefined;
  return { namespace: env.TEMPORAL_NAMESPACE, apiKey: env.TEMPORAL_API_KEY, tls: wanted ? tls : undefined };
}

/** Variables that are of use only together. */
export function requireTogether(env: Record<string, unknown>, context: z.core.$RefinementCtx): void {
  for (const group of together) {
    const given = group.find((name) => env[name] !== undefined);
    if (given === undefined) continue;
    for (const missing of group.filter((name) => env[name] === undefined)) {
      const message = `is missing, and ${given} is of no use without it. Set all of ${group.join(', ')}, or none.`;
      context.addIssue({ code: 'custom', path: [missing], message });
    }
  }
}

const together = [
  ['TEMPORAL_TLS_CERT', 'TEMPORAL_TLS_KEY'],
  ['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY'],
  ['OIDC_ISSUER', 'OIDC_AUDIENCE', 'OIDC_JWKS_URL'],
  ['OIDC_ROLE_CLAIM', 'OIDC_ROLES'],
] as const;
