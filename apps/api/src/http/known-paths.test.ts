import { expect, test } from '@jest/globals';
import { KnownPaths } from './known-paths.ts';

const paths = new KnownPaths();
paths.add({ url: '/v1/jobs', method: ['GET', 'HEAD'] });
paths.add({ url: '/v1/jobs', method: 'POST' });
paths.add({ url: '/v1/jobs/:id(^[^:/]+)', method: 'GET' });
paths.add({ url: '/v1/jobs/:id(^[^:/]+)::cancel', method: 'POST' });
paths.add({ url: '/v1/functions/:name/:version', method: 'GET' });
paths.add({ url: '/docs/assets/*', method: 'GET' });

test.each([
  ['/v1/jobs', ['GET', 'HEAD', 'POST']],
  ['/v1/jobs/', ['GET', 'HEAD', 'POST']],
  ['/v1/jobs?status=RUNNING', ['GET', 'HEAD', 'POST']],
  ['/v1/jobs/abc', ['GET']],
  ['/v1/jobs/abc:cancel', ['POST']],
  ['/v1/jobs/abc:destroy', []],
  ['/v1/functions/echo/1.0.0', ['GET']],
  ['/v1/functions/echo', []],
  ['/docs/assets/x/y.css', ['GET']],
  ['/v1', []],
])('%s answers to %j', (url, methods) => {
  expect(paths.methodsOf(url)).toEqual(methods);
});
