import { CommanderError, type Command } from 'commander';
import type { Action } from './command.js';
import { entriesFor } from './catalog.js';
import { readEnvironment, type CommonOptions } from './config.js';
import { EXIT } from './exit-codes.js';
import { Failure, failureDocument, renderFailure, toFailure } from './failure.js';
import { asHelp, withoutVainHelp } from './help-words.js';
import { Interrupted } from './interrupt.js';
import { wrapped } from './render/text.js';
import { buildProgram, readCommonOptions } from './program.js';
import { Session } from './session.js';
import { usageOf } from './usage.js';
import { CLI_VERSION } from './version.js';

/**
 * Runs one command line and returns its exit code. Never throws: whatever went wrong has been said on stderr.
 *
 * @param given what follows the program's name
 */
export async function runCli(given: readonly string[]): Promise<number> {
  const words = asHelp(given);
  let session: Session | undefined;
  let exitCode: number = EXIT.ok;
  function bind<Words extends readonly unknown[], Options>(command: Command, action: Action<Words, Options>): void {
    command.action(async (...passed: unknown[]) => {
      // Commander gives the words, then the options, then the command itself.
      const called = passed.at(-1) as Command;
      session = new Session(readCommonOptions(called), readEnvironment(), words);
      exitCode =
        (await action(session, called.opts() as Options, ...(passed.slice(0, -2) as readonly unknown[] as Words))) ??
        EXIT.ok;
    });
  }
  try {
    const program = await buildProgram(entriesFor(words), bind);
    if (words[0] === '-V' || words[0] === '--version') {
      process.stdout.write(`${CLI_VERSION}\n`);
      return EXIT.ok;
    }
    muteErrors(program);
    await program.parseAsync(words.length === 0 ? ['--help'] : withoutVainHelp(words, program), { from: 'user' });
    return exitCode;
  } catch (error) {
    return await report(error, session, words);
  } finally {
    session?.close();
  }
}

/** Commander's own words for errors are ours to say, in our form. */
function muteErrors(command: Command): void {
  command.configureOutput({
    writeErr: (text) => (text.startsWith('error:') ? undefined : process.stderr.write(text)),
    outputError: () => undefined,
  });
  for (const below of command.commands) muteErrors(below);
}

async function report(error: unknown, session: Session | undefined, words: readonly string[]): Promise<number> {
  if (error instanceof CommanderError && error.exitCode === 0) return EXIT.ok;
  // A command that only groups others has printed what may follow.
  if (error instanceof CommanderError && error.code === 'commander.help') return EXIT.usage;
  if (error instanceof Interrupted) return error.exitCode;
  const options: CommonOptions = session?.options ?? optionsOf(words);
  const failure = await asFailure(error, session, words);
  if (options.json === true) process.stderr.write(`${JSON.stringify(failureDocument(failure))}\n`);
  else {
    const columns = process.stderr.isTTY ? process.stderr.columns : Number.POSITIVE_INFINITY;
    process.stderr.write(wrapped(renderFailure(failure, options.verbose === true, readEnvironment().program), columns, 2));
  }
  return failure.facts.exitCode;
}

async function asFailure(error: unknown, session: Session | undefined, words: readonly string[]): Promise<Failure> {
  if (error instanceof Failure) return error;
  if (error instanceof CommanderError) return usageOf(error, words);
  const { MusterError } = await import('@muster/client');
  if (error instanceof MusterError) return toFailure(error, session?.target.url ?? '');
  return new Failure({
    code: 'unexpected',
    exitCode: EXIT.failed,
    what: 'muster itself failed.',
    why: error instanceof Error ? error.message : String(error),
    next: 'Run it again with -v and report what it prints.',
    cause: error,
  });
}

/** Options of a line that could not be understood, as far as errors depend on them. */
function optionsOf(words: readonly string[]): CommonOptions {
  const end = words.indexOf('--');
  const own = end < 0 ? words : words.slice(0, end);
  return { json: own.includes('--json'), verbose: own.includes('-v') || own.includes('--verbose') };
}
