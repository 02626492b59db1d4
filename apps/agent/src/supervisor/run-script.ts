/**
 * Turns a plan into the shell text `run` that a supervisor sources and that becomes the job by `exec`. Pure.
 *
 * Everything that came from a person is in single quotes, where a shell knows no special character but the quote itself,
 * so every byte from 1 to 255 arrives as it was given.
 */
export interface RunPlan {
  /** Absolute path of `setsid`; gives the job its own session, or `kill 0` in it would kill its supervisor. */
  readonly setsidPath: string;
  /** Absolute path of what does the same for less (see `newSessionProgram`); null where there is none. */
  readonly newSessionPath: string | null;
  /** Absolute path of `env`, for names that would change the shell itself. */
  readonly envPath: string;
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  /** Program (absolute path) and arguments. */
  readonly command: readonly [string, ...string[]];
  /** Put before the command, after `setsid`: a sandbox program and its arguments. */
  readonly wrapper?: readonly string[];
  /** Shell lines run first. Written by this agent only, never by a person. */
  readonly prologue?: readonly string[];
  /** Separate files for the two streams; merged into the supervisor's file when absent. */
  readonly streams?: { readonly stdout: string; readonly stderr: string };
}

export function toRunScript(plan: RunPlan): Buffer {
  const { exported, throughEnv } = splitEnvironment(plan.env);
  const lines = [...(plan.prologue ?? [])];
  for (const [name, value] of exported) lines.push(`export ${name}=${quote(value)}`);
  lines.push(`cd ${quote(plan.cwd)} || exit 126`, 'unset OLDPWD');
  if (plan.streams) lines.push(`exec >>${quote(plan.streams.stdout)} 2>>${quote(plan.streams.stderr)}`);
  const words = [...(plan.wrapper ?? [])];
  if (throughEnv.length > 0) words.push(plan.envPath, ...throughEnv.map(([name, value]) => `${name}=${value}`));
  lines.push(...becoming(plan, [...words, ...plan.command].map(quote).join(' ')));
  return Buffer.from(`${lines.join('\n')}\n`, 'utf8');
}

/** Somebody may have taken the small program away meanwhile, and `env` would take a path with `=` for a variable. */
function becoming({ setsidPath, newSessionPath, envPath, command: [program] }: RunPlan, words: string): string[] {
  if (newSessionPath === null || program.includes('=')) return [`exec ${quote(setsidPath)} ${words}`];
  const path = quote(newSessionPath);
  return [
    `set -- ${words}`,
    `[ ! -x ${path} ] || exec ${path} ${quote(envPath)} "$@"`,
    `exec ${quote(setsidPath)} "$@"`,
  ];
}

/** One word of shell text. */
export function quote(text: string): string {
  return /^[A-Za-z0-9_/.,:=@%+-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}

type Variable = readonly [name: string, value: string];

/**
 * Most variables are exported, which keeps them out of argument lists that other users can read. Those that a shell or the
 * dynamic linker would act on itself travel as arguments of `env`, behind the last program that is ours.
 */
function splitEnvironment(env: Readonly<Record<string, string>>): { exported: Variable[]; throughEnv: Variable[] } {
  const exported: Variable[] = [];
  const throughEnv: Variable[] = [];
  for (const variable of Object.entries(env)) (isSafeToExport(variable[0]) ? exported : throughEnv).push(variable);
  return { exported, throughEnv };
}

const ACTED_ON_BY_A_SHELL =
  /^(?:_|_h_.*|IFS|OPTIND|OPTARG|PWD|OLDPWD|PPID|LINENO|UID|EUID|SHELLOPTS|BASH.*|ENV|PS[0-9]|RANDOM|SECONDS|FUNCNEST|POSIXLY_CORRECT|HISTFILE|LD_.*|DYLD_.*|GLIBC_TUNABLES|MALLOC_.*)$/;

function isSafeToExport(name: string): boolean {
  return /^[A-Za-z_][A-Za-z0-9_]*$/.test(name) && !ACTED_ON_BY_A_SHELL.test(name);
}

export interface CommandLimits {
  readonly argumentBytesMax: number;
  readonly commandLineBytesMax: number;
}

/** What the kernel would refuse, as a sentence; null when it can be tried. */
export function complaintAbout(
  command: readonly string[],
  env: Readonly<Record<string, string>>,
  limits: CommandLimits,
): string | null {
  let total = 0;
  for (const [index, argument] of command.entries()) {
    const what = index === 0 ? 'The program name' : `Argument ${index}`;
    const complaint = complaintAboutText(what, argument, limits);
    if (complaint) return complaint;
    total += Buffer.byteLength(argument) + 1;
  }
  for (const [name, value] of Object.entries(env)) {
    if (name === '' || name.includes('=')) return `The variable name "${name}" is empty or holds an equals sign.`;
    const complaint = complaintAboutText(`The variable ${name.replaceAll('\0', '\\0')}`, `${name}=${value}`, limits);
    if (complaint) return complaint;
    total += Buffer.byteLength(name) + Buffer.byteLength(value) + 2;
  }
  if (total <= limits.commandLineBytesMax) return null;
  return `Arguments and variables together are ${total} bytes; at most ${limits.commandLineBytesMax} can be passed to a program.`;
}

function complaintAboutText(what: string, text: string, limits: CommandLimits): string | null {
  if (text.includes('\0')) return `${what} holds a NUL byte, which no program can be given.`;
  const bytes = Buffer.byteLength(text);
  if (bytes <= limits.argumentBytesMax) return null;
  return `${what} is ${bytes} bytes long; the longest a program can be given is ${limits.argumentBytesMax}.`;
}
