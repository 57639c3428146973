import { ConfigurationError } from '@perdure/config/environment';
import { loadMigrationConfig } from '@perdure/config/migration';
import { migrate, openDatabase } from '@perdure/store/database';

/** `npm run migrate`: brings the database up to date and nothing else, for those who do not let the API do it. */
try {
  const { database } = loadMigrationConfig();
  const db = openDatabase(database.url, { poolSize: 1, applicationName: 'perdure-migrate' });
  try {
    const applied = await migrate(db);
    console.log(applied.length > 0 ? `applied ${applied.join(', ')}` : 'the database is up to date');
  } finally {
    await db.close();
  }
} catch (error) {
  console.error(error instanceof ConfigurationError ? error.message : error);
  process.exitCode = 1;
}
