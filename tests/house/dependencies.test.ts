import { describe, expect, test } from '@jest/globals';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import { root } from './copy.ts';

type Manifest = { name: string; version: string } & Partial<
  Record<'dependencies' | 'devDependencies' | 'optionalDependencies' | 'overrides', Record<string, string>>
>;
type Lock = { packages: Record<string, { version?: string; link?: boolean }> };

function read<Content>(path: string): Content {
  return JSON.parse(readFileSync(join(root, path), 'utf8'));
}

const paths = ['package.json', ...globSync('{apps,libs}/*/package.json', { cwd: root })].sort();
const manifests = paths.map((path) => ({ path, ...read<Manifest>(path) }));
const locked = Object.entries(read<Lock>('package-lock.json').packages);

function versionsOf(name: string): string[] {
  const found = locked.filter(([path, { link }]) => path.endsWith(`node_modules/${name}`) && !link);
  return [...new Set(found.map(([, { version = '' }]) => version))];
}

describe('package.json', () => {
  test.each(manifests)('$path pins each dependency exactly', (manifest) => {
    const { dependencies, devDependencies, optionalDependencies, overrides } = manifest;
    const all = { ...dependencies, ...devDependencies, ...optionalDependencies, ...overrides };
    const loose = Object.entries(all).filter(([, version]) => !/^\d+\.\d+\.\d+(-[\w.]+)?$/.test(version));
    expect(loose).toEqual([]);
  });

  test.each(manifests)(
    '$path names the versions that the lock file has',
    ({ path, dependencies, devDependencies }) => {
      const folder = path.replace(/package\.json$/, '');
      for (const [name, version] of Object.entries({ ...dependencies, ...devDependencies })) {
        if (name.startsWith('@perdure/')) continue;
        const found = new Map(locked);
        const entry = found.get(`${folder}node_modules/${name}`) ?? found.get(`node_modules/${name}`);
        expect([name, entry?.version]).toEqual([name, version]);
      }
    },
  );

  test('the house names its own packages by their versions', () => {
    const versions = new Map(manifests.map(({ name, version }) => [name, version]));
    for (const { dependencies, devDependencies } of manifests) {
      for (const [name, version] of Object.entries({ ...dependencies, ...devDependencies })) {
        if (name.startsWith('@perdure/')) expect([name, version]).toEqual([name, versions.get(name)]);
      }
    }
  });
});

describe('package-lock.json', () => {
  const family = locked.flatMap(([path]) => /node_modules\/(@temporalio\/[^/]+)$/.exec(path)?.[1] ?? []);

  test('has one version of the whole family of @temporalio', () => {
    expect(family.length).toBeGreaterThan(5);
    expect([...new Set(family.flatMap(versionsOf))]).toEqual(['1.24.0']);
  });

  test('has one protobufjs: with two, Temporal refuses messages of the one as no messages of the other', () => {
    expect(versionsOf('protobufjs')).toHaveLength(1);
    expect(locked.filter(([path]) => path.endsWith('node_modules/protobufjs'))).toHaveLength(1);
  });

  test('has one zod', () => {
    expect(versionsOf('zod')).toHaveLength(1);
  });

  test('names no host that packages come from', () => {
    expect(readFileSync(join(root, 'package-lock.json'), 'utf8')).not.toContain('"resolved": "http');
  });
});
