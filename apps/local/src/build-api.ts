import { buildApi } from './api-build.ts';

/** Compiles the API when its sources have changed; `npm test` calls this. */
const outcome = await buildApi().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  process.exit(1);
});
console.log(outcome === 'built' ? 'The API was compiled.' : 'The API is compiled already.');
