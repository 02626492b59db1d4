/** Ways a secret enters that leave no trace: not in the process list, not on the screen. */
import { createInterface } from 'node:readline/promises';
import { Writable } from 'node:stream';
import { usageFailure } from './failure.js';
import { Interrupted } from './interrupt.js';
import { readStdin } from './stdin.js';

/** The secret piped in, without the line end. */
export async function readSecretFromStdin(): Promise<string> {
  const secret = (await readStdin()).trim();
  if (secret === '') throw usageFailure('Nothing came on stdin.', 'Pipe the key in: muster login --key-stdin < key');
  return secret;
}

/** Asks on the terminal; what is typed is not shown. */
export async function askSecret(question: string, signal: AbortSignal): Promise<string> {
  process.stderr.write(question);
  const silent = new Writable({ write: (_chunk, _encoding, done) => done() });
  const reader = createInterface({ input: process.stdin, output: silent, terminal: true });
  // In raw mode Ctrl-C is a key like any other: it ends the question as a signal would.
  const interruption = new AbortController();
  reader.on('SIGINT', () => interruption.abort(new Interrupted('SIGINT')));
  const given = AbortSignal.any([signal, interruption.signal]);
  try {
    const secret = (await reader.question('', { signal: given }).catch(throwing(given))).trim();
    if (secret === '') throw usageFailure('No key was given.', 'Paste the key, or: muster login --key-stdin < key');
    return secret;
  } finally {
    reader.close();
    process.stderr.write('\n');
  }
}

/** The signal's own reason instead of the general abort that readline makes of it. */
function throwing(signal: AbortSignal): (error: unknown) => never {
  return (error) => {
    signal.throwIfAborted();
    throw error;
  };
}
