import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import {
  claimQueueOf,
  claimQueuesServedBy,
  type Demand,
  type Offer,
  pinnedQueue,
  stageQueue,
} from './queues.ts';

const echo = { functionName: 'echo', functionVersion: '1.0.0' };

test.each<[string, Demand]>([
  ['claim/any/echo@1.0.0', echo],
  ['claim/big/echo@1.0.0', { ...echo, pool: 'big' }],
  ['claim/any/echo@1.0.0#tool=ansys@2026', { ...echo, tool: { name: 'ansys', version: '2026' } }],
  ['claim/any/echo@1.0.0#os=linux', { ...echo, operatingSystem: 'linux' }],
  [
    'claim/big/echo@1.0.0#tool=ansys@2026#os=linux',
    { ...echo, pool: 'big', tool: { name: 'ansys', version: '2026' }, operatingSystem: 'linux' },
  ],
  ['claim/agent/a-1', { ...echo, pool: 'big', agentId: 'a-1' }],
])('a job waits on %s', (queue, demand) => {
  expect(claimQueueOf(demand)).toBe(queue);
});

test('the stages of an agent do not wait behind the claims of jobs that are pinned to it', () => {
  expect(stageQueue('a-1')).not.toBe(pinnedQueue('a-1'));
});

const name = fc.constantFrom('a', 'b', 'c');
const version = fc.constantFrom('1.0.0', '2.0.0');
const tool = fc.record({ name, version });
const system = fc.constantFrom('linux', 'win32');
const offers: fc.Arbitrary<Offer> = fc.record(
  {
    agentId: name,
    pool: name,
    functions: fc.uniqueArray(fc.record({ name, version }), {
      maxLength: 4,
      selector: (one) => JSON.stringify(one),
    }),
    tools: fc.uniqueArray(tool, { maxLength: 3, selector: (one) => JSON.stringify(one) }),
    operatingSystem: system,
  },
  { requiredKeys: ['agentId', 'functions', 'tools', 'operatingSystem'] },
);
const demands: fc.Arbitrary<Demand> = fc.record(
  { functionName: name, functionVersion: version, tool, operatingSystem: system, pool: name },
  { requiredKeys: ['functionName', 'functionVersion'] },
);

function canServe(offer: Offer, demand: Demand): boolean {
  return (
    offer.functions.some(
      (one) => one.name === demand.functionName && one.version === demand.functionVersion,
    ) &&
    (demand.pool === undefined || demand.pool === offer.pool) &&
    (demand.operatingSystem === undefined || demand.operatingSystem === offer.operatingSystem) &&
    (demand.tool === undefined ||
      offer.tools.some((one) => JSON.stringify(one) === JSON.stringify(demand.tool)))
  );
}

test('an agent polls the queue of a job exactly if it can serve the job', () => {
  fc.assert(
    fc.property(offers, demands, (offer, demand) => {
      expect(claimQueuesServedBy(offer).includes(claimQueueOf(demand))).toBe(canServe(offer, demand));
    }),
  );
});

test('an agent polls no queue twice', () => {
  fc.assert(
    fc.property(offers, (offer) => {
      const queues = claimQueuesServedBy(offer);
      expect(new Set(queues).size).toBe(queues.length);
    }),
  );
});
