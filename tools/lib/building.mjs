// Builds what has changed. Only Node's own modules.
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { NX_ENVIRONMENT, NX_PROGRAM } from './nx.mjs';
import { ROOT } from './root.mjs';
import { runNode } from './run.mjs';

const STAMP_FILE = join(ROOT, '.nx', 'build.stamp');

/** True when nothing that is built has changed since the last build that ended well. */
export function isBuilt() {
  const isWhole = builtProjects().every((project) => existsSync(join(ROOT, project, 'dist')));
  return isWhole && readStamp() === stampOfSources();
}

/** Builds unless built. Answers an exit code; says what it does, and the compiler's words when it fails. */
export async function build() {
  if (isBuilt()) return 0;
  console.log('Building …');
  const stamp = stampOfSources();
  const { code, output } = await runNode([NX_PROGRAM, 'run-many', '-t', 'build', '--output-style=static'], {
    quiet: true,
    env: NX_ENVIRONMENT,
    onTick: (seconds) => console.log(`  still building, ${seconds} s`),
  });
  if (code !== 0) {
    console.error(output.trim());
    console.error('Building failed.');
    return code;
  }
  mkdirSync(join(ROOT, '.nx'), { recursive: true });
  writeFileSync(STAMP_FILE, stamp);
  console.log('Everything is built.');
  return 0;
}

/** Projects with a build script. */
function builtProjects() {
  return projectFolders().filter((project) => {
    const manifest = join(ROOT, project, 'package.json');
    return existsSync(manifest) && JSON.parse(readFileSync(manifest, 'utf8')).scripts?.build !== undefined;
  });
}

function projectFolders() {
  const inside = (folder) => (existsSync(join(ROOT, folder)) ? readdirSync(join(ROOT, folder)).sort() : []);
  return [...['libs', 'apps'].flatMap((folder) => inside(folder).map((name) => join(folder, name))), 'e2e'];
}

/**
 * A digest of name, size and time of every file that a build reads: a few milliseconds, without git and without reading
 * sources. It may say "changed" too often (a fresh checkout); the build itself then finds its results in its cache.
 */
function stampOfSources() {
  const hash = createHash('sha256').update(process.version);
  const add = (path) => {
    const entry = statSync(join(ROOT, path), { throwIfNoEntry: false });
    if (!entry) return;
    if (entry.isDirectory()) for (const name of readdirSync(join(ROOT, path)).sort()) add(join(path, name));
    else if (!/\.spec\.tsx?$/.test(path)) hash.update(`${path}\0${entry.size}\0${entry.mtimeMs}\0`);
  };
  for (const path of ['package-lock.json', 'tsconfig.base.json', 'nx.json', 'tools/lib/bundle.mjs']) add(path);
  for (const project of builtProjects()) {
    for (const name of readdirSync(join(ROOT, project)).sort()) {
      if (!['dist', 'node_modules', 'test', 'coverage'].includes(name)) add(join(project, name));
    }
  }
  return hash.digest('hex');
}

function readStamp() {
  try {
    return readFileSync(STAMP_FILE, 'utf8');
  } catch {
    return undefined;
  }
}
