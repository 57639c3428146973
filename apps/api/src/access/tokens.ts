import { Injectable } from '@nestjs/common';
import type { OidcConfig } from '@perdure/config/api';
import { lowerRole } from '@perdure/job/permissions';
import { signIn } from '@perdure/store/admin';
import { errors, type JWTPayload, jwtVerify } from 'jose';
import { createHash } from 'node:crypto';
import { DatabaseService } from '../database/database.service.ts';
import type { Identity } from '../http/caller.ts';
import { Kept } from '../kept.ts';
import { Settings } from '../settings.ts';
import { nowhere, signInOf } from './claims.ts';
import { freshnessMs, maxKnown } from './freshness.ts';
import { ProviderKeys } from './provider-keys.ts';
import { notLetIn } from './refusals.ts';

/** A longer one is not even read. */
const maxTokenLength = 8 * 1024;
const maxSubjectLength = 255;
/** The end of the year 9999: what is later cannot be written down. */
const lastSecond = 253_402_300_799;

/** Finds who a token of the identity provider (a JWT, RFC 7519) speaks for. Nothing of it is kept but its SHA-256. */
@Injectable()
export class Tokens {
  private readonly known = new Kept<Identity>(freshnessMs, maxKnown);
  private readonly provider: { config: OidcConfig; keys: ProviderKeys } | undefined;

  constructor(
    private readonly database: DatabaseService,
    { config: { oidc } }: Settings,
  ) {
    this.provider = oidc && { config: oidc, keys: new ProviderKeys(oidc.jwksUrl) };
  }

  /**
   * Throws 'unauthenticated' for a token that is no good, 'forbidden' for one that gives no place here, 'unavailable' where the identity
   * provider would have to be asked and does not answer.
   */
  async principalOf(token: string): Promise<Identity> {
    if (this.provider === undefined) throw notLetIn('Tokens are not accepted here: send an API key');
    if (token.length > maxTokenLength) throw notLetIn('The token is too long');
    const { config, keys } = this.provider;
    const id = createHash('sha256').update(token).digest('base64');
    return this.known.get(id, async () => this.find(await verified(token, config, keys), config));
  }

  private async find(payload: JWTPayload, config: OidcConfig): Promise<Identity> {
    const said = signInOf(payload, config);
    const user = await this.database.across((db) => signIn(db, said));
    if (user === undefined) throw nowhere();
    if (user.disabledAt !== null) throw notLetIn('The user is disabled');
    const { id, tenantId, displayName: name } = user;
    const expiresAt = new Date(Math.min(payload.exp ?? 0, lastSecond) * 1_000).toISOString();
    const role = said.role === null ? user.role : lowerRole(said.role, user.role);
    return { tenantId, id, userId: id, agentId: null, keyId: null, name, role, expiresAt };
  }
}

async function verified(token: string, config: OidcConfig, keys: ProviderKeys): Promise<JWTPayload> {
  const { issuer, audience, algorithms, clockToleranceSeconds: clockTolerance } = config;
  const required = ['exp', 'iat', 'sub'];
  try {
    const rules = { issuer, audience, algorithms, clockTolerance, requiredClaims: required };
    const { payload, protectedHeader } = await jwtVerify(token, keys.find, rules);
    if (!accepts(config, protectedHeader.typ)) throw notLetIn('The token is of another type');
    const { sub } = payload;
    if (typeof sub !== 'string' || sub === '' || sub.length > maxSubjectLength) throw claim('sub');
    return payload;
  } catch (error) {
    throw error instanceof errors.JOSEError ? notLetIn(whyNot(error)) : error;
  }
}

/** RFC 7515, 4.1.9: a media type whose `application/` may be left out, in capitals or not. */
function accepts({ types }: OidcConfig, typ = 'none'): boolean {
  const short = typ.toLowerCase().replace(/^application\//, '');
  return types.some((one) => one.toLowerCase() === short);
}

const claim = (name: string) => notLetIn(`The claim ${name} of the token is not accepted`);

function whyNot(error: errors.JOSEError): string {
  if (error instanceof errors.JWTExpired) return 'The token has expired';
  if (error instanceof errors.JWTClaimValidationFailed) return claim(error.claim).message;
  if (error instanceof errors.JOSEAlgNotAllowed) return 'The algorithm of the token is not accepted';
  const unsigned =
    error instanceof errors.JWSSignatureVerificationFailed ||
    error instanceof errors.JWKSNoMatchingKey ||
    error instanceof errors.JWKSMultipleMatchingKeys;
  return unsigned ? 'The token is not signed by the identity provider' : 'The token cannot be read';
}
