import { build, isBuilt } from './building.mjs';
import { checkNode, install, isInstalled } from './installation.mjs';
import { withPreparationLock } from './preparation-lock.mjs';
import { endingSignal } from './run.mjs';

/** Installs and builds what is missing; ends the process with an exit code when that is not possible. */
export async function prepare({ withBuild = true } = {}) {
  const isReady = checkNode() === 0 && isInstalled() && (!withBuild || isBuilt());
  if (isReady) return;
  const code =
    checkNode() || (await withPreparationLock(async () => (await install()) || (withBuild ? await build() : 0)));
  if (endingSignal()) process.exit(130);
  if (code !== 0) process.exit(code);
}
