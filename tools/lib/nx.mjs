import { join } from 'node:path';
import { ROOT } from './root.mjs';

export const NX_PROGRAM = join(ROOT, 'node_modules', 'nx', 'dist', 'bin', 'nx.js');

export const NX_ENVIRONMENT = {
  // No background process is left behind by a command that has ended.
  NX_DAEMON: 'false',
  // Its default place is shared by all users of the machine, and the first one owns it.
  NX_NATIVE_FILE_CACHE_DIRECTORY: join(ROOT, '.nx', 'native'),
  NX_TUI: 'false',
};
