import type { CodeDefinition } from './definition.ts';

type Pack = { functions: readonly CodeDefinition[] };

/** Imported only where they are asked for, so that an agent without a pack needs none of its libraries. */
const packs = {
  reference: () => import('./reference/index.ts'),
  evaluation: () => import('./evaluation/index.ts'),
} satisfies Record<string, () => Promise<Pack>>;

export type PackName = keyof typeof packs;

export const packNames = Object.keys(packs).filter(isPackName);

export function isPackName(text: string): text is PackName {
  return Object.hasOwn(packs, text);
}

/**
 * The functions of a pack, by its name, or by the `file:` URL of a module that exports `functions`
 * (how a program that embeds an agent brings its own). Throws when there is no such pack.
 */
export async function loadPack(pack: string): Promise<readonly CodeDefinition[]> {
  if (pack.startsWith('file:')) {
    const { functions } = (await import(pack)) as Partial<Pack>;
    if (functions === undefined) throw new Error(`${pack} does not export functions`);
    return functions;
  }
  if (!isPackName(pack)) throw new Error(`there is no pack '${pack}'; known are ${packNames.join(', ')}`);
  return (await packs[pack]()).functions;
}
