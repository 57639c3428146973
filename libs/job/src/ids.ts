const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[1-8][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
const jobId = /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/;
const agentId = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;
const name = /^[a-z][a-z0-9-]{0,62}$/;
/** `any` and `agent` have a meaning of their own in the names of claim queues. */
const pool = /^(?!(?:any|agent)$)[a-z][a-z0-9-]{0,62}$/;
const toolName = /^[\w.-]{1,64}$/;
const toolVersion = /^[\w.-]{1,32}$/;
/** `type/subtype`, perhaps with parameters (RFC 9110, 8.3.1): it comes back as a header. */
const mediaType = /^[\w!#$&^.+-]+\/[\w!#$&^.+-]+(\s*;[\x20-\x7e]*)?$/;
const version = /^[0-9]{1,6}\.[0-9]{1,6}\.[0-9]{1,6}(-[0-9A-Za-z.-]{1,32})?$/;
/** Neither a folder nor a path, and nothing that a terminal would obey. */
// eslint-disable-next-line no-control-regex -- control characters are what it keeps out
const fileName = /^(?!\.{1,2}$)[^/\\\u0000-\u001f\u007f]+$/;

/** The tenant of the first start, and of workflows that are started directly without naming one. */
export const defaultTenantId = '00000000-0000-7000-8000-000000000001';

/** The admin of the first start, whose key is `PERDURE_ADMIN_KEY`. */
export const firstAdminId = '00000000-0000-7000-8000-000000000003';

export const patterns = {
  uuid,
  jobId,
  agentId,
  name,
  pool,
  toolName,
  toolVersion,
  mediaType,
  version,
  fileName,
} as const;

/** A job's id is its workflow's id. Ids made or accepted over HTTP are UUIDs; a direct start may bring any of this form. */
export function isJobId(text: string): boolean {
  return jobId.test(text);
}

/** Newest first; a pre-release (`1.2.0-rc.1`) is older than its release, as in Semantic Versioning 2.0. */
export function compareVersions(a: string, b: string): number {
  const [aCore = '', aPre] = split(a);
  const [bCore = '', bPre] = split(b);
  const [aParts, bParts] = [aCore.split('.').map(Number), bCore.split('.').map(Number)];
  for (let part = 0; part < 3; part++) {
    const difference = (bParts[part] ?? 0) - (aParts[part] ?? 0);
    if (difference !== 0) return difference;
  }
  if (aPre === bPre) return 0;
  if (aPre === undefined) return -1;
  if (bPre === undefined) return 1;
  return comparePreReleases(bPre, aPre);
}

function split(text: string): [string, string | undefined] {
  const dash = text.indexOf('-');
  return dash === -1 ? [text, undefined] : [text.slice(0, dash), text.slice(dash + 1)];
}

function comparePreReleases(a: string, b: string): number {
  const [aParts, bParts] = [a.split('.'), b.split('.')];
  for (let part = 0; part < Math.max(aParts.length, bParts.length); part++) {
    const [x, y] = [aParts[part], bParts[part]];
    if (x === y) continue;
    if (x === undefined) return -1;
    if (y === undefined) return 1;
    const [xNumeric, yNumeric] = [/^[0-9]+$/.test(x), /^[0-9]+$/.test(y)];
    if (xNumeric && yNumeric) return Number(x) - Number(y);
    if (xNumeric !== yNumeric) return xNumeric ? -1 : 1;
    return x < y ? -1 : 1;
  }
  return 0;
}
