// Fails when the lock file lacks a platform's native package: npm then installs without it there, silently.
import { readFileSync } from 'node:fs';

const { packages } = JSON.parse(readFileSync(new URL('../package-lock.json', import.meta.url), 'utf8'));
const paths = Object.keys(packages);
const missing = [];
for (const [path, entry] of Object.entries(packages)) {
  for (const name of Object.keys(entry.optionalDependencies ?? {})) {
    if (name !== 'fsevents' && !paths.some((other) => other.endsWith(`node_modules/${name}`)))
      missing.push(`${path} ${entry.version} lacks ${name}`);
  }
}
if (missing.length > 0) {
  console.error(missing.join('\n'));
  process.exit(1);
}
