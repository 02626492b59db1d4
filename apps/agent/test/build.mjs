// Before any test: builds the agent from these very sources and makes it one file, which tests start as a process. What is
// tested is therefore what is shipped, and nobody's build can change it meanwhile.
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { bundleAgent } from '../bundle.mjs';

export default async function build() {
  const project = join(import.meta.dirname, '..');
  const compiler = join(project, '..', '..', 'node_modules', 'typescript-native', 'bin', 'tsc');
  execFileSync(process.execPath, [compiler, '-b', 'tsconfig.app.json'], { cwd: project, stdio: 'inherit' });
  await bundleAgent(join(project, 'dist', 'test', 'agent.mjs'));
}
