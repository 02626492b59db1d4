import 'reflect-metadata';
import { runAgent } from './run-agent.js';

/** `doctor` says what an agent would find on this machine, one line of JSON, and starts none. */
async function run(word: string | undefined): Promise<number> {
  if (word !== 'doctor') return runAgent();
  const { examine } = await import('./doctor/doctor.js');
  process.stdout.write(`${JSON.stringify(await examine())}\n`);
  return 0;
}

process.exit(await run(process.argv[2]));
