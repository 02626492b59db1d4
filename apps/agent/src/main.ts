import 'reflect-metadata';
import { EXIT_CODES } from './exit-codes.js';
import { runAgent } from './run-agent.js';

/** `doctor` says what an agent would find on this machine, one line of JSON, and starts none. */
async function run(word: string | undefined): Promise<number> {
  if (word === undefined) return runAgent();
  if (word !== 'doctor') {
    process.stderr.write(
      `muster agent: unknown word "${word}". Known is only doctor; without a word the agent starts.\n`,
    );
    return EXIT_CODES.cannotWork;
  }
  const { examine } = await import('./doctor/doctor.js');
  process.stdout.write(`${JSON.stringify(await examine())}\n`);
  return 0;
}

process.exit(await run(process.argv[2]));
