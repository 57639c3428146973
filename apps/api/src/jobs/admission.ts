import { Injectable } from '@nestjs/common';
import { PerdureError } from '@perdure/job/errors';
import { filesIn } from '@perdure/job/files-in';
import type { JsonObject } from '@perdure/job/json';
import { canServe } from '@perdure/job/queues';
import type { JobRequest } from '@perdure/job/schemas';
import { detailsWithoutSecrets, secretPlaceholder } from '@perdure/job/secrets';
import { isTooFarAhead, type JobStart, maxAheadDays, parseStart } from '@perdure/job/start';
import { getAgent, getFile, poolExists } from '@perdure/store/read';
import { Visibility } from '../access/visibility.ts';
import { offerOf } from '../agents/offers.ts';
import { DatabaseService } from '../database/database.service.ts';
import { Catalogue, type Known } from '../functions/catalogue.ts';
import type { Principal } from '../http/caller.ts';
import { refusal } from '../http/refusal.ts';

/** More files than this in one job are refused. */
const maxFiles = 1_000;

/** Everything cheap is checked before a job is accepted. */
@Injectable()
export class Admission {
  constructor(
    private readonly database: DatabaseService,
    private readonly catalogue: Catalogue,
    private readonly visibility: Visibility,
  ) {}

  /** What the workflow is to be started with. Throws what a caller can put right, each place named. */
  async admit(caller: Principal, request: JobRequest): Promise<JobStart> {
    const { tenantId } = caller;
    const parameters = request.parameters ?? {};
    const known = await this.catalogue.find(tenantId, request.function, request.version);
    if (known === undefined) throw await this.unknownFunction(tenantId, request);
    checkParameters(known, parameters);
    const { version } = known.record;
    if (request.notBefore !== undefined && isTooFarAhead(request.notBefore, Date.now()))
      throw refusal('invalid-request', '/notBefore', `notBefore is at most ${maxAheadDays} days ahead`);
    await this.checkWho(tenantId, request, version);
    await this.checkFiles(caller, filesIn(known.record.inputSchema, parameters));
    return toStart(caller, request, version);
  }

  private async unknownFunction(tenantId: string, request: JobRequest): Promise<PerdureError> {
    const name = request.function;
    const other = request.version === undefined ? undefined : await this.catalogue.find(tenantId, name);
    return other
      ? refusal(
          'unknown-function',
          '/version',
          `There is no version ${request.version} of '${name}'. The newest is ${other.record.version}`,
        )
      : refusal(
          'unknown-function',
          '/function',
          `There is no function '${name}'. GET /v1/functions lists them`,
        );
  }

  private async checkWho(tenantId: string, request: JobRequest, functionVersion: string): Promise<void> {
    const { pool, assignedAgentId: agentId } = request;
    if (pool !== undefined && !(await this.database.call(tenantId, (db) => poolExists(db, tenantId, pool)))) {
      throw refusal('unknown-pool', '/pool', `There is no pool '${pool}'. GET /v1/pools lists them`);
    }
    if (agentId === undefined) return;
    const agent = await this.database.call(tenantId, (db) => getAgent(db, tenantId, agentId));
    if (agent === undefined)
      throw refusal('unknown-agent', '/assignedAgentId', `There is no agent '${agentId}'`);
    const { function: functionName, tool, operatingSystem } = request;
    if (!canServe(offerOf(agent), { functionName, functionVersion, pool, tool, operatingSystem, agentId })) {
      throw refusal(
        'incapable-agent',
        '/assignedAgentId',
        `Agent '${agentId}' does not offer ${request.function}@${functionVersion} as asked for`,
      );
    }
  }

  /** To an owner that does not see a file it is not there, as input too: else a job would read it for him. */
  private async checkFiles(caller: Principal, files: ReturnType<typeof filesIn>): Promise<void> {
    if (files.length > maxFiles)
      throw refusal('invalid-parameters', '/parameters', `A job takes ${maxFiles} files at most`);
    const { tenantId } = caller;
    const ids = [...new Set(files.map(({ fileId }) => fileId))];
    const found = await Promise.all(
      ids.map((id) => this.database.call(tenantId, (db) => getFile(db, tenantId, id))),
    );
    const seen = await this.visibility.filesAmong(
      caller,
      found.filter((file) => file !== undefined),
    );
    const visible = new Set(seen.map(({ id }) => id));
    const missing = new Set(ids.filter((id) => !visible.has(id)));
    const details = files
      .filter(({ fileId }) => missing.has(fileId))
      .map(({ pointer, fileId }) => ({
        pointer: `/parameters${pointer}`,
        detail: `There is no file ${fileId}`,
      }));
    const [first] = details;
    if (first) throw new PerdureError('unknown-file', `${first.pointer}: ${first.detail}`, { details });
  }
}

function checkParameters({ check, hide }: Known, parameters: JsonObject): void {
  const secrets = hide(parameters).secrets.map((one) => ({ ...one, pointer: `/parameters${one.pointer}` }));
  // From an answer, where it stands in the place of the secret.
  const copied = secrets.filter(({ value }) => value === secretPlaceholder);
  const details = [
    ...detailsWithoutSecrets(check(parameters), secrets),
    ...copied.map(({ pointer }) => ({ pointer, detail: 'is a placeholder: send the secret itself' })),
  ];
  const [first] = details;
  if (first) throw new PerdureError('invalid-parameters', `${first.pointer} ${first.detail}`, { details });
}

function toStart({ tenantId, id: owner }: Principal, request: JobRequest, version: string): JobStart {
  const { id: _id, validateOnly: _only, ...asked } = request;
  const given = Object.entries({ ...asked, tenantId, owner, version, admitted: true }).filter(
    ([, value]) => value !== undefined,
  );
  const parsed = parseStart(Object.fromEntries(given));
  if (!parsed.ok) throw new PerdureError('invalid-request', parsed.message);
  return parsed.value;
}
