import {
  type CryptoKey,
  exportJWK,
  exportPKCS8,
  exportSPKI,
  generateKeyPair,
  type JWK,
  type JWTPayload,
  SignJWT,
} from 'jose';
import { createServer } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';

export type SigningKey = {
  kid: string;
  alg: string;
  jwk: JWK;
  privateKey: CryptoKey;
  spki: string;
  pkcs8: string;
};

export async function aSigningKey(kid: string, alg = 'RS256'): Promise<SigningKey> {
  const { publicKey, privateKey } = await generateKeyPair(alg, { extractable: true });
  const jwk = { ...(await exportJWK(publicKey)), kid, alg, use: 'sig' };
  return {
    kid,
    alg,
    jwk,
    privateKey,
    spki: await exportSPKI(publicKey),
    pkcs8: await exportPKCS8(privateKey),
  };
}

export type IdentityProvider = Awaited<ReturnType<typeof startIdentityProvider>>;

/** An identity provider as far as its keys go, with the variables that make an API trust it. */
export async function startIdentityProvider() {
  const key = await aSigningKey('key-1');
  let published = [key];
  let how: 'well' | 'badly' | 'never' = 'well';
  let asked = 0;
  const server = createServer((_request, response) => {
    asked++;
    if (how === 'never') return;
    response.writeHead(how === 'well' ? 200 : 500, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ keys: published.map(({ jwk }) => jwk) }));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const issuer = 'https://id.example.com/';
  const audience = 'perdure';
  const { port } = server.address() as AddressInfo;
  const jwksUrl = `http://127.0.0.1:${port}/keys`;

  /** A good token, but for what is said otherwise; a claim that is undefined is left out. */
  function token(claims: JWTPayload = {}, header: object = {}, signer = key): Promise<string> {
    const now = Math.floor(Date.now() / 1_000);
    const usual = { iss: issuer, aud: audience, sub: 'ada', iat: now, exp: now + 300 };
    return new SignJWT({ ...usual, ...claims })
      .setProtectedHeader({ alg: signer.alg, kid: signer.kid, typ: 'at+jwt', ...header })
      .sign(signer.privateKey);
  }

  return {
    key,
    issuer,
    jwksUrl,
    environment: { OIDC_ISSUER: issuer, OIDC_AUDIENCE: audience, OIDC_JWKS_URL: jwksUrl },
    token,
    publish: (...keys: SigningKey[]) => void (published = keys),
    answers: (next: typeof how) => void (how = next),
    /** How often its keys were asked for. */
    asked: () => asked,
    stop(): void {
      server.close();
      server.closeAllConnections();
    },
  };
}
