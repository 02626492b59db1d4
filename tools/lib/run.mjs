// Runs the programs that the commands of package.json are made of. Only Node's own modules: it runs before anything is installed.
import { spawn } from 'node:child_process';
import { constants, setPriority } from 'node:os';
import { ROOT } from './root.mjs';

/** Children that must not outlive us when we are asked to end. */
const running = new Set();

let askedToEnd;

/** The signal that asked us to end, once one has. */
export function endingSignal() {
  return askedToEnd;
}

// A terminal tells our children itself; a plain `kill` tells only us, so they are told again. We end after them.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
  process.on(signal, () => {
    askedToEnd ??= signal;
    for (const child of running) child.kill(signal);
    if (running.size === 0) process.exit(130);
  });
}

/**
 * Runs a program to its end and answers `{ code, output }`; never rejects. Its words go to ours, or with `quiet` into
 * `output`. `onTick` is called every ten seconds with how long it has been running. What runs `behind` others gets only
 * the processor time that they leave.
 */
export function run(command, args, { env, cwd = ROOT, quiet = false, behind = false, onTick } = {}) {
  const begunAtMs = Date.now();
  const stdio = quiet ? ['ignore', 'pipe', 'pipe'] : 'inherit';
  // Whether we run in production says nothing about the tools that make us: with it npm leaves them out.
  const childEnv = { ...process.env, NODE_ENV: undefined, ...env };
  const child = spawn(command, args, { cwd, env: childEnv, stdio, shell: needsShell(command) });
  running.add(child);
  if (behind) giveWay(child.pid);
  let output = '';
  child.stdout?.on('data', (chunk) => (output += chunk));
  child.stderr?.on('data', (chunk) => (output += chunk));
  const ticking = onTick && setInterval(() => onTick(Math.round((Date.now() - begunAtMs) / 1_000)), 10_000);
  return new Promise((resolve) => {
    const end = (code) => {
      clearInterval(ticking);
      running.delete(child);
      resolve({ code, output });
    };
    child.once('error', (error) => {
      output += `${error.message}\n`;
      end(127);
    });
    child.once('close', (code, signal) => end(code ?? (signal === 'SIGINT' ? 130 : 143)));
  });
}

/** What it starts later inherits this. Where that is not to be had it just runs. */
function giveWay(pid) {
  try {
    setPriority(pid, constants.priority.PRIORITY_LOW);
  } catch {
    return;
  }
}

/** Runs a Node program with our own Node. */
export function runNode(args, options) {
  return run(process.execPath, args, options);
}

/** Runs npm: the one that runs us, else the one on the path. */
export function runNpm(args, options) {
  const npm = process.env.npm_execpath;
  return npm?.endsWith('.js') ? runNode([npm, ...args], options) : run('npm', args, options);
}

/** On Windows npm is a script, which only a shell can start. */
function needsShell(command) {
  return process.platform === 'win32' && command === 'npm';
}
