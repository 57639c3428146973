import { mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';

/** The checkout. */
export const root = dirname(dirname(dirname(import.meta.dirname)));

/** Where everything lies under PERDURE_HOME. */
export type Home = {
  folder: string;
  adminKey: string;
  postgres: string;
  temporalDatabase: string;
  run: string;
};

export async function makeHome(folder: string): Promise<Home> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  return {
    folder,
    adminKey: join(folder, 'admin-key'),
    postgres: join(folder, 'postgres'),
    temporalDatabase: join(folder, 'temporal.db'),
    run: join(folder, 'run'),
  };
}
