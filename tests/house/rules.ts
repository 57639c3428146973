import { globSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Room, rooms, tests } from './rooms.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const everyRoom = '^(apps|libs|examples|tests/conformance/src)/';

type Manifest = { name: string; exports?: Record<string, string> };
type Condition = {
  path?: string | string[];
  pathNot?: string[];
  dependencyTypes?: string[];
  dependencyTypesNot?: string[];
};

/** Each door (`store/read`) with the file behind it, read from the `exports` of the packages. */
function readDoors(): Map<string, string> {
  const doors = new Map<string, string>();
  for (const path of globSync('{apps,libs}/*/package.json', { cwd: root })) {
    const { name, exports = {} }: Manifest = JSON.parse(readFileSync(join(root, path), 'utf8'));
    for (const [door, file] of Object.entries(exports)) {
      doors.set(join(name.replace('@perdure/', ''), door), join(dirname(path), file));
    }
  }
  return doors;
}

const doors = readDoors();

/** Regular expressions of the files behind doors; `store/*` is every door of the store. */
function filesBehind(names: string[]): string[] {
  return names.flatMap((name) => {
    const room = name.replace(/\/\*$/, '');
    const known = name.endsWith('/*')
      ? [...doors.keys()].filter((door) => door === room || door.startsWith(`${room}/`))
      : [name];
    return known.map((door) => {
      const file = doors.get(door);
      if (file === undefined) throw new Error(`rooms.ts names the door '${door}', which no package exports`);
      return `^${escape(file)}$`;
    });
  });
}

function packageFiles(names: string[]): string[] {
  return names.map((name) => `(^|/)node_modules/(@types/)?${escape(name)}(/|$)`);
}

function builtIns(names: string[]): string[] {
  return names.map((name) => `^(node:)?${name}(/|$)`);
}

function escape(text: string): string {
  return text.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&');
}

function rulesOf([room, line]: [string, Room]) {
  const {
    files,
    within = files,
    enters = [],
    entersForTypes = [],
    packages = [],
    packagesForTypes = [],
    node = [],
  } = line;
  const from = { path: files, pathNot: tests };
  const typesAlone = { dependencyTypesNot: ['type-only'] };
  const [open, openForTypes] = [filesBehind(enters), filesBehind(entersForTypes)];
  const [usable, usableForTypes] = [packageFiles(packages), packageFiles(packagesForTypes)];
  const rule = (name: string, comment: string, to: Condition) => ({
    name: `${room}: ${name}`,
    severity: 'error',
    comment,
    from,
    to,
  });
  return [
    rule(
      'doors',
      'The room enters another that its line in tests/house/rooms.ts does not name, or not by a door.',
      {
        path: everyRoom,
        pathNot: [within, 'node_modules/', ...open, ...openForTypes],
      },
    ),
    rule('packages', 'The room uses a package that its line in tests/house/rooms.ts does not name.', {
      path: '(^|/)node_modules/',
      pathNot: [...usable, ...usableForTypes],
    }),
    ...(node === 'any'
      ? []
      : [
          rule(
            'built-ins',
            'The room uses a built-in module of Node that its line in tests/house/rooms.ts does not name.',
            {
              dependencyTypes: ['core'],
              pathNot: builtIns(node),
            },
          ),
        ]),
    ...(openForTypes.length > 0
      ? [
          rule('doors for types', 'Enter this door by `import type`.', {
            path: openForTypes,
            pathNot: open,
            ...typesAlone,
          }),
        ]
      : []),
    ...(usableForTypes.length > 0
      ? [
          rule('packages for types', 'Use this package by `import type`.', {
            path: usableForTypes,
            ...typesAlone,
          }),
        ]
      : []),
  ];
}

export const rules = [
  ...Object.entries(rooms).flatMap(rulesOf),
  {
    name: 'every file is in a room',
    severity: 'error',
    comment: 'Give the folder a line in tests/house/rooms.ts.',
    from: { path: everyRoom, pathNot: [...tests, ...Object.values(rooms).map(({ files }) => files)] },
    to: {},
  },
  {
    name: 'no room enters the tests',
    severity: 'error',
    comment: 'What a room needs belongs into a room.',
    from: { path: everyRoom, pathNot: tests },
    to: { path: tests },
  },
  {
    name: 'no cycles',
    severity: 'error',
    comment: 'Files that need each other are one file, or lack a third.',
    from: {},
    to: { circular: true },
  },
  {
    name: 'nothing unresolved',
    severity: 'error',
    comment: 'The file or the door does not exist.',
    from: {},
    to: { couldNotResolve: true },
  },
];
