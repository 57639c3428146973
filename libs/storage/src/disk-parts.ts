import { rm } from 'node:fs/promises';
import { join } from 'node:path';

import type { Storage } from './contract.ts';
import { makeFolders, once, readFrom, syncFolder, where, writeDurably } from './disk-files.ts';
import { storingFailed, unavailable } from './incoming.ts';

/** `root/<upload>/<part>`. */
export function diskParts(root: string): Pick<Storage, 'putPart' | 'readPart' | 'removeParts'> {
  return {
    putPart: async (upload, part, bytes) => {
      const folder = join(root, upload);
      const path = join(folder, part);
      try {
        await makeFolders([folder]);
        await writeDurably(path, once(bytes));
        await syncFolder(folder);
      } catch (error) {
        await rm(path, { force: true }).catch(() => undefined);
        throw storingFailed(error, where);
      }
    },
    readPart: (upload, part) => readFrom(join(root, upload, part), part),
    removeParts: (upload) =>
      rm(join(root, upload), { recursive: true, force: true }).catch((error: unknown) => {
        throw unavailable(error, where);
      }),
  };
}
