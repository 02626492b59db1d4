/** What is said of words that make no sense: what, why, and what to type instead. */
import type { Command, CommanderError } from 'commander';
import { usageFailure, type Failure } from './failure.js';
import { fullName, refuserOf } from './program.js';

/** Words that people know from other tools, and how the same is done here. */
const ELSEWHERE: Readonly<Record<string, string>> = {
  attach: 'muster logs -f <job>',
  tail: 'muster logs -f <job>',
  stop: 'muster cancel <job>, or muster pause <job>',
  kill: 'muster cancel --force <job>',
  rm: 'muster cancel <job>, or muster worker rm <worker>',
  delete: 'muster cancel <job>, or muster worker rm <worker>',
  list: 'muster ps for jobs, muster workers for machines',
  ls: 'muster ps for jobs, muster workers for machines',
  get: 'muster ps for jobs, muster workers for machines',
  status: 'muster ps for jobs, muster workers for machines',
  queue: 'muster ps',
  top: 'muster ps -w for jobs, muster workers -w for machines',
  watch: 'muster ps -w for jobs, muster workers -w for machines',
  inspect: 'muster show <job>, or muster worker show <worker>',
  why: 'muster explain <job>',
  events: 'muster show <job>',
  nodes: 'muster workers',
  machines: 'muster workers',
  agents: 'muster agent status, or muster workers for all machines',
  doctor: 'muster agent doctor',
  start: 'muster up for everything on this machine, muster run -- <command> for a job',
  exec: 'muster run -- <command>',
  retry: 'submit it again: muster api GET /jobs/<job> shows what it was',
  register: 'muster keys enrolment create, then muster agent run on the machine',
  config: 'muster context list',
  logout: 'muster context rm <name>',
  signin: 'muster login',
};

/** The refusal of a command line, with the help of the very command that refused it. */
export function usageOf(error: CommanderError, words: readonly string[]): Failure {
  const [first = '', ...hints] = plainly(error.message).split('\n');
  const what = `${first.charAt(0).toUpperCase()}${first.slice(1)}${first.endsWith('.') ? '' : '.'}`;
  const why = hints.join(' ').trim();
  const command = refuserOf(error);
  const unknown = /^unknown command '(.*)'/.exec(first)?.[1];
  const elsewhere = unknown === undefined || command?.parent ? undefined : ELSEWHERE[unknown];
  const next = elsewhere ?? withDashes(command, words) ?? `${fullName(command)} --help`;
  return usageFailure(what, next, why === '' || elsewhere !== undefined ? undefined : why);
}

/** Without the parser's own words for its parts. */
function plainly(message: string): string {
  return message
    .replace(/^error: /, '')
    .replace(/^command-argument value '(.*?)' is invalid for argument '(.*?)'\. /, "<$2> cannot be '$1'. ")
    .replace(/^option '(.*?)' argument '(.*?)' is invalid\. /, "option '$1' cannot be '$2'. ");
}

/** `submit ls -la`: the options of a command to run are taken for ours where no -- is before it. */
function withDashes(command: Command | undefined, words: readonly string[]): string | undefined {
  const [name, first] = words;
  if (command?.name() !== 'submit' || name !== 'submit' || words.includes('--')) return undefined;
  if (first === undefined || first.startsWith('-') || /\.(json|ya?ml)$/.test(first)) return undefined;
  return `To run a command put -- before it: muster submit -- ${words.slice(1).join(' ')}`;
}
