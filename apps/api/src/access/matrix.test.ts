import { afterEach, beforeAll, expect, test } from '@jest/globals';
import { defaultTenantId } from '@perdure/job/ids';
import { KnownPaths } from '../http/known-paths.ts';
import { anotherTenant } from '../testing/api.ts';
import { apiWithoutWorkers } from '../testing/api-without-workers.ts';
import { operations } from '../testing/matrix/operations.ts';
import { aScene, type Scene } from '../testing/matrix/scene.ts';
import { asDocumented, documented, type Surprise, walk } from '../testing/matrix/walk.ts';
import { Access } from './access.ts';
import { KeyRing } from './key-ring.ts';
import { Visibility } from './visibility.ts';

const api = apiWithoutWorkers();
let foreignTenant: string;
beforeAll(async () => void (foreignTenant = await anotherTenant(api().db)));

const scene = (): Promise<Scene> => aScene(api(), foreignTenant);

test('every operation is in the table, and nothing else is', async () => {
  const ids = (await documented(api())).map(({ id }) => id);
  expect(Object.keys(operations).sort()).toEqual(ids.sort());
});

/** The document, and the page that shows it. */
const besides = ['/openapi.json', '/docs', '/docs/start.js', '/docs/assets/*'];

async function undocumented(routes: readonly { method: string; url: string }[]): Promise<string[]> {
  const known = new Set((await documented(api())).map(({ method, path }) => `${method} ${path}`));
  return (
    routes
      .map(({ method, url }) => ({ method, path: asDocumented(url) }))
      // What answers GET answers HEAD.
      .filter(
        ({ method, path }) =>
          !known.has(`${method} ${path}`) && !(method === 'HEAD' && known.has(`GET ${path}`)),
      )
      .map(({ method, path }) => `${method} ${path}`)
      .filter((route) => !besides.some((path) => [`GET ${path}`, `HEAD ${path}`].includes(route)))
  );
}

test('every route of the server is in the document', async () => {
  const routes = api().app.get(KnownPaths).all();
  expect(await undocumented(routes)).toEqual([]);
  const hidden = { method: 'DELETE', url: '/v1/jobs/:id(^[^:/]+)' };
  expect(await undocumented([...routes, hidden])).toEqual(['DELETE /v1/jobs/{id}']);
});

test('everybody may do with everything what the table says', async () => {
  expect(await walk(api(), await scene())).toEqual([]);
}, 120_000);

const mended: (() => void)[] = [];
afterEach(() => mended.splice(0).forEach((mend) => mend()));

/** Puts a method of a service out of order, for one test. */
function breaks<Service extends object>(
  type: abstract new (...args: never[]) => Service,
  broken: (service: Service) => Partial<Service>,
): void {
  const service = api().app.get<Service>(type);
  const methods = broken(service);
  Object.assign(service, methods);
  mended.push(() => Object.keys(methods).forEach((name) => Reflect.deleteProperty(service, name)));
}

const found = (surprises: readonly Surprise[], operation: string, caller: string) =>
  surprises.find((one) => one.operation === operation && one.caller === caller)?.came.slice(0, 3);

/** What must catch whom, when it is out of order. */
const cases: [string, () => void, [operation: string, caller: string, came: string][]][] = [
  [
    'who is of which tenant',
    () =>
      breaks(KeyRing, (ring) => {
        const principalOf = ring.principalOf.bind(ring);
        return { principalOf: async (key) => ({ ...(await principalOf(key)), tenantId: defaultTenantId }) };
      }),
    [
      ['getJob', 'foreign', '200'],
      ['cancelJob', 'foreign', '202'],
      ['getFileContent', 'foreign', '200'],
      ['getUser', 'foreign', '200'],
      ['getAgent', 'foreign', '200'],
      ['createTenant', 'foreign', '422'],
    ],
  ],
  [
    'who sees what',
    () =>
      breaks(Visibility, () => ({ job: async (_caller, job) => job, file: async (_caller, file) => file })),
    [
      ['getJob', 'member', '200'],
      ['getLogs', 'member', '200'],
      ['cancelJob', 'viewer', '202'],
      ['shareJob', 'editor', '422'],
      ['getFileContent', 'member', '200'],
    ],
  ],
  [
    'what a role may',
    () => breaks(Access, () => ({ check: () => {} })),
    [
      ['reassignJob', 'owner', '202'],
      ['countJobs', 'member', '200'],
      ['listUsers', 'agent', '200'],
      ['metrics', 'foreign', '200'],
    ],
  ],
  [
    'who is let in',
    () =>
      breaks(Access, (access) => ({
        principalOf: () => Access.prototype.principalOf.call(access, `Bearer ${api().adminKey}`),
      })),
    [
      ['getJob', 'nobody', '200'],
      ['listKeys', 'nobody', '200'],
    ],
  ],
];

test.each(cases)(
  'a server on which %s is not looked at is found out',
  async (_what, breaking, expected) => {
    const there = await scene();
    breaking();
    const some = expected.map(([operation]) => operation);
    const surprises = await walk(api(), there, some);
    expect(
      expected.map(([operation, caller]) => [operation, caller, found(surprises, operation, caller)]),
    ).toEqual(expected);
  },
  120_000,
);
