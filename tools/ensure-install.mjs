// Installs packages when they are missing or older than package-lock.json. Runs with bare Node.
import { prepare } from './lib/preparation.mjs';

await prepare({ withBuild: false });
