import { startStack } from '../../src/index.js';

/** Runs a stack of the given programs until standard input closes, and prints its facts as one JSON line. */
async function main(): Promise<void> {
  const [controlPlane = '', agent = ''] = process.argv.slice(2);
  const stack = await startStack({ programs: { controlPlane, agent } });
  process.stdout.write(`${JSON.stringify({ url: stack.url, databaseUrl: stack.databaseUrl })}\n`);
  process.stdin.resume();
  process.stdin.once('end', () => void stack.stop().then(() => process.exit(0)));
}

main().catch((error: unknown) => {
  process.stderr.write(`${String(error)}\n`);
  process.exit(1);
});
