import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import {
  canServe,
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
  ['claim/any/echo@1.0.0#tool=ansys', { ...echo, tool: { name: 'ansys' } }],
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
const offers: fc.Arbitrary<Offer> = fc.record({
  agentId: name,
  pools: fc.uniqueArray(name, { maxLength: 2 }),
  functions: fc.uniqueArray(fc.record({ name, version }), {
    maxLength: 4,
    selector: (one) => JSON.stringify(one),
  }),
  tools: fc.uniqueArray(tool, { maxLength: 3, selector: (one) => JSON.stringify(one) }),
  operatingSystem: system,
});
const wantedTool = fc.oneof(tool, fc.record({ name }));
const demands: fc.Arbitrary<Demand> = fc.record(
  {
    functionName: name,
    functionVersion: version,
    tool: wantedTool,
    operatingSystem: system,
    pool: name,
  },
  { requiredKeys: ['functionName', 'functionVersion'] },
);

const ansys = { name: 'ansys', version: '2026' };
const offer: Offer = {
  agentId: 'a-1',
  pools: ['big', 'north'],
  functions: [{ name: 'echo', version: '1.0.0' }],
  tools: [ansys, { name: 'ansys', version: '2025' }],
  operatingSystem: 'linux',
};

test.each<[boolean, string, Partial<Demand>]>([
  [true, 'that asks for nothing more', {}],
  [true, 'for one of its pools', { pool: 'north' }],
  [false, 'for another pool', { pool: 'south' }],
  [true, 'for its operating system', { operatingSystem: 'linux' }],
  [false, 'for another operating system', { operatingSystem: 'win32' }],
  [true, 'for a tool in its version', { tool: ansys }],
  [true, 'for a tool in any version', { tool: { name: 'ansys' } }],
  [false, 'for a tool in another version', { tool: { name: 'ansys', version: '2024' } }],
  [false, 'for another tool', { tool: { name: 'abaqus' } }],
  [false, 'of another version of the function', { functionVersion: '2.0.0' }],
  [false, 'of another function', { functionName: 'sleep' }],
  [true, 'that is pinned to it', { agentId: 'a-1' }],
  [false, 'that is pinned to another', { agentId: 'a-2' }],
])('%s: an agent can serve a job %s', (able, _, demand) => {
  expect(canServe(offer, { ...echo, ...demand })).toBe(able);
});

test('an agent polls the queue of a job exactly if it can serve the job', () => {
  fc.assert(
    fc.property(offers, demands, (offer, demand) => {
      expect(claimQueuesServedBy(offer).includes(claimQueueOf(demand))).toBe(canServe(offer, demand));
    }),
  );
});

test('an agent that can serve a pinned job polls the queue of its pin', () => {
  fc.assert(
    fc.property(offers, demands, name, (one, demand, agentId) => {
      const pinned = { ...demand, agentId };
      if (canServe(one, pinned)) expect(claimQueuesServedBy(one)).toContain(claimQueueOf(pinned));
      else if (one.agentId !== agentId) expect(claimQueuesServedBy(one)).not.toContain(claimQueueOf(pinned));
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
