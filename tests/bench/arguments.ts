import { parseArgs } from 'node:util';

export type Plan = {
  rounds: number;
  /** How long each load is measured, after its warm-up. */
  windowMs: number;
  warmUpMs: number;
  /** Jobs under way at the same time, one load after the other. */
  inFlight: readonly number[];
  /** How many jobs the short list and the long one have, and how many pages are read of each view in a round. */
  lists: { small: number; large: number; pages: number };
  /** How long the fixed rate of reads is kept up in a round. */
  readMs: number;
  /** The size of the file that goes up and down. */
  fileBytes: number;
  /** Jobs submitted one by one, and in one batch. */
  submits: number;
  /** So many long polls on one job, and how often they are told of a change. */
  waiters: readonly { waiters: number; times: number }[];
  /** So many readers of one job's stream, and how many changes they are told one by one, and then in a row. */
  streams: readonly { readers: number; times: number }[];
  /** Batches of lines that are written, and how long a log is read. */
  logs: { batches: number; lines: number };
  /** What is done in a round of the fleet. */
  fleet: {
    /** Agents that have nothing to do while claims are timed, and how many claims. */
    idle: readonly number[];
    claims: number;
    /** Jobs that wait for so many agents. */
    backlogs: readonly { agents: number; jobs: number }[];
    /** How many agents are killed that have a lease of so long. */
    leases: readonly { leaseMs: number; losses: number }[];
  };
  json: string | undefined;
  /** Where the processes of Perdure and of the bare workflow write their CPU profiles. */
  cpuProfiles: string | undefined;
  /** Only these kinds of jobs (`a`, `b`, …), `submits` for single and batched submits, `files` for large files, `reads` for the status, `access` for what authentication and row-level security cost, `lists` for lists, `waiters` for long polls, `streams` for streams, `logs` for log lines, and `fleet` for what agents do; all when empty. */
  only: readonly string[];
};

export const usage = `npm run bench -- [--quick] [--rounds N] [--json FILE] [--only a,b,direct,b4,c,submits,files,reads,access,lists,waiters,streams,logs,fleet] [--in-flight 1,16,64] [--cpu-profiles FOLDER]`;

/** Throws on an option that is not known. */
export function planOf(args: readonly string[]): Plan {
  const { values } = parseArgs({
    args: [...args],
    options: {
      quick: { type: 'boolean', default: false },
      rounds: { type: 'string' },
      json: { type: 'string' },
      only: { type: 'string', default: '' },
      'in-flight': { type: 'string', default: '1,16,64' },
      'cpu-profiles': { type: 'string' },
    },
  });
  const { quick } = values;
  return {
    rounds: values.rounds === undefined ? (quick ? 2 : 5) : wholeNumber(values.rounds, 20),
    windowMs: quick ? 3_000 : 5_000,
    warmUpMs: quick ? 750 : 1_500,
    inFlight: listOf(values['in-flight']).map((text) => wholeNumber(text, 64)),
    lists: { small: 1_000, large: quick ? 100_000 : 1_000_000, pages: quick ? 100 : 300 },
    readMs: quick ? 2_000 : 4_000,
    fileBytes: (quick ? 256 : 5 * 1024) * 1024 ** 2,
    submits: quick ? 200 : 1_000,
    waiters: quick
      ? [
          { waiters: 100, times: 5 },
          { waiters: 1_000, times: 2 },
        ]
      : [
          { waiters: 1, times: 50 },
          { waiters: 100, times: 20 },
          { waiters: 10_000, times: 2 },
        ],
    streams: [
      { readers: 1, times: quick ? 20 : 50 },
      { readers: 100, times: quick ? 10 : 50 },
      { readers: 1_000, times: quick ? 3 : 20 },
    ],
    logs: { batches: quick ? 20 : 100, lines: quick ? 200_000 : 1_000_000 },
    fleet: {
      idle: quick ? [1, 10, 100] : [1, 10, 40, 100],
      claims: quick ? 30 : 100,
      backlogs: [
        { agents: 1, jobs: quick ? 20 : 50 },
        { agents: 16, jobs: quick ? 80 : 240 },
      ],
      leases: quick
        ? [{ leaseMs: 2_000, losses: 1 }]
        : [
            { leaseMs: 2_000, losses: 3 },
            { leaseMs: 15_000, losses: 1 },
          ],
    },
    json: values.json,
    cpuProfiles: values['cpu-profiles'],
    only: listOf(values.only),
  };
}

function listOf(text: string): string[] {
  return text.split(',').filter((one) => one !== '');
}

function wholeNumber(text: string, most: number): number {
  const number = Number(text);
  if (Number.isInteger(number) && number >= 1 && number <= most) return number;
  throw new Error(`${text} is no whole number from 1 to ${most}`);
}
