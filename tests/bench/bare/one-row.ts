import Fastify from 'fastify';
import pg from 'pg';

/** What the status of a job is held against: a route that reads one row and sends it. */
const [databaseUrl, port] = process.argv.slice(2);
const pool = new pg.Pool({ connectionString: databaseUrl, max: 10 });
const app = Fastify();

app.get<{ Params: { id: string } }>('/jobs/:id', async (request) => {
  const { rows } = await pool.query('select * from jobs where id = $1', [request.params.id]);
  return rows[0];
});

process.on('SIGTERM', () => void app.close().then(() => pool.end()));
await app.listen({ port: Number(port), host: '127.0.0.1' });
