// Between rounds: a queue that grew in one round would weigh on the next.
import pg from 'pg';

/** Forgets every job of the measured stack. Only for jobs that nobody runs. */
export async function clearJobs(databaseUrl) {
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  try {
    await client.query(
      // With whatever belongs to one of them.
      'truncate job, attempt, event, log_stream, log_chunk, metric_stream, metric_point, idempotency_key, job_tally cascade',
    );
  } finally {
    await client.end();
  }
}
