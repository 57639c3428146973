import fastifyStatic from '@fastify/static';
import type { INestApplication } from '@nestjs/common';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { FastifyInstance } from 'fastify';
import { createRequire } from 'node:module';
import { dirname } from 'node:path';
import { openApi } from './openapi.ts';

/** Swagger UI sets style attributes, and draws its icons from data URIs. No script but its own. */
const policy =
  "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const page = `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <title>Perdure API</title>
    <link rel="stylesheet" href="/docs/assets/swagger-ui.css">
    <link rel="icon" type="image/png" href="/docs/assets/favicon-32x32.png">
  </head>
  <body>
    <div id="swagger-ui"></div>
    <script src="/docs/assets/swagger-ui-bundle.js"></script>
    <script src="/docs/start.js"></script>
  </body>
</html>
`;

const script = `SwaggerUIBundle({ url: '/openapi.json', dom_id: '#swagger-ui', deepLinking: true, validatorUrl: null, persistAuthorization: false });
`;

const served = /^\/docs\/assets\/(swagger-ui\.css|swagger-ui-bundle\.js|favicon-(16x16|32x32)\.png)$/;

/** `/openapi.json` and `/docs`: Swagger UI, with its assets from this server. They need no key, and tell no secret. */
export function serveDocs(app: NestFastifyApplication): void {
  const fastify: FastifyInstance = app.getHttpAdapter().getInstance();
  const document = once(() => JSON.stringify(openApi(app satisfies INestApplication)));
  fastify.get('/openapi.json', (_request, reply) => reply.type('application/json').send(document()));
  fastify.get('/docs', (_request, reply) =>
    reply.header('content-security-policy', policy).type('text/html').send(page),
  );
  fastify.get('/docs/start.js', (_request, reply) => reply.type('text/javascript').send(script));
  const root = dirname(createRequire(import.meta.url).resolve('swagger-ui-dist/package.json'));
  fastify.register(fastifyStatic, {
    root,
    prefix: '/docs/assets/',
    allowedPath: (_path, _root, request) => served.test(request.url),
  });
}

function once<T>(make: () => T): () => T {
  let made: { value: T } | undefined;
  return () => (made ??= { value: make() }).value;
}
