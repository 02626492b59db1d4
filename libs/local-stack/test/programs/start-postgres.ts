import { startEmbeddedPostgres } from '../../src/index.js';

/** Starts PostgreSQL, prints one JSON line, and stops it when its standard input closes. */
async function main(): Promise<void> {
  const steps: string[] = [];
  const server = await startEmbeddedPostgres({
    dataDir: process.argv[2] ?? '',
    onProgress: (step) => {
      steps.push(step);
      process.stderr.write(`${step}\n`);
    },
  });
  const { pid, url, adopted, isNew } = server;
  process.stdout.write(`${JSON.stringify({ pid, url, adopted, isNew, steps })}\n`);
  process.stdin.resume();
  process.stdin.once('end', () => void server.stop().then(() => process.exit(0)));
}

main().catch((error: unknown) => {
  process.stderr.write(`${String(error)}\n`);
  process.exit(1);
});
