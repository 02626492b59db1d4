/**
 * A program of 190 bytes that does what `setsid` does for a job: it makes the session and becomes the job.
 *
 * Each job begins with it, and `setsid` spends most of a short job's processor time on its way in: it is linked at every
 * start, and reads the tables of its language for a message it never prints. This one is a header and ten instructions. It
 * is written and tried where the agent starts; where it cannot be had (another processor or system, a state directory from
 * which no programs are started) `setsid` does the same.
 *
 *     new-session FALLBACK PROGRAM ARGUMENT…
 *
 * What the kernel refuses to start it hands to FALLBACK, with PROGRAM and all arguments: `env` tells what is wrong, and
 * starts scripts that name no interpreter.
 */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { installScript } from './slot-supervisor.js';
import type { Tools } from './start-probe.js';

/** The stack holds the number of arguments, they themselves, a null, the variables. See execve(2), elf(5). */
const INSTRUCTIONS = [
  'b8 70 00 00 00', // mov eax, 112       setsid: refused only to who leads a group, which none does that a shell without job control forks
  '0f 05', //          syscall
  '48 8b 0c 24', //    mov rcx, [rsp]
  '48 8d 54 cc 10', // lea rdx, [rsp+rcx*8+16]   the variables
  '48 8d 74 24 18', // lea rsi, [rsp+24]         PROGRAM and what follows
  '48 8b 3e', //       mov rdi, [rsi]
  'b8 3b 00 00 00', // mov eax, 59        execve: returns only when it was refused
  '0f 05', //          syscall
  '48 8d 74 24 10', // lea rsi, [rsp+16]         FALLBACK and what follows
  '48 8b 3e', //       mov rdi, [rsi]
  'b8 3b 00 00 00', // mov eax, 59
  '0f 05', //          syscall
  'bf 7e 00 00 00', // mov edi, 126       as a shell ends that could not start a program
  'b8 3c 00 00 00', // mov eax, 60        exit
  '0f 05', //          syscall
];

const LOADED_AT = 0x400000n;
const HEADER_BYTES = 64;
const SEGMENT_BYTES = 56;
const READABLE = 4;
const EXECUTABLE = 1;
const WRITABLE = 2;

/** An executable for Linux on x86-64, loaded whole and read-only, with a stack that cannot be executed. */
export function newSessionProgram(): Buffer {
  const code = Buffer.from(INSTRUCTIONS.join('').replaceAll(' ', ''), 'hex');
  const codeAt = HEADER_BYTES + 2 * SEGMENT_BYTES;
  const program = Buffer.alloc(codeAt + code.length);
  program.write('\x7fELF\x02\x01\x01', 'latin1');
  program.writeUInt16LE(2, 16); // an executable
  program.writeUInt16LE(62, 18); // for x86-64
  program.writeUInt32LE(1, 20);
  program.writeBigUInt64LE(LOADED_AT + BigInt(codeAt), 24); // begins here
  program.writeBigUInt64LE(BigInt(HEADER_BYTES), 32); // its segments are told here
  program.writeUInt16LE(HEADER_BYTES, 52);
  program.writeUInt16LE(SEGMENT_BYTES, 54);
  program.writeUInt16LE(2, 56);
  const [whole, stack] = [HEADER_BYTES, HEADER_BYTES + SEGMENT_BYTES];
  program.writeUInt32LE(1, whole); // loaded
  program.writeUInt32LE(READABLE | EXECUTABLE, whole + 4);
  program.writeBigUInt64LE(LOADED_AT, whole + 16);
  program.writeBigUInt64LE(LOADED_AT, whole + 24);
  program.writeBigUInt64LE(BigInt(program.length), whole + 32);
  program.writeBigUInt64LE(BigInt(program.length), whole + 40);
  program.writeBigUInt64LE(4096n, whole + 48);
  program.writeUInt32LE(0x6474e551, stack); // how the stack is to be
  program.writeUInt32LE(READABLE | WRITABLE, stack + 4);
  code.copy(program, codeAt);
  return program;
}

/** Is true of the process that asks only if it leads a session and a group of its own. */
const LEADS_ITS_SESSION = 'read -r pid _ _ _ group session _ </proc/self/stat; [ "$pid $pid" = "$group $session" ]';

/** Resolves to the path of the program, put below `stateDir` and tried; null where it does not work. */
export async function installNewSession(
  stateDir: string,
  { env, shell }: Pick<Tools, 'env' | 'shell'>,
): Promise<string | null> {
  if (process.platform !== 'linux' || process.arch !== 'x64') return null;
  try {
    const path = await installScript(stateDir, 'new-session', newSessionProgram());
    await promisify(execFile)(path, [env, shell, '-c', LEADS_ITS_SESSION], { timeout: 5_000, env: {} });
    return path;
  } catch {
    return null;
  }
}
