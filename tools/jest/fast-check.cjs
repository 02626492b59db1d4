/**
 * What specs get for `fast-check`: the same, with a seed taken from the commit that is checked out. Every commit tries
 * cases that none has tried before, and tries them again when repeated, on whichever machine. `FAST_CHECK_SEED` sets another.
 */
const { execFileSync } = require('node:child_process');
const { join } = require('node:path');

const FOLDER = '../../node_modules/fast-check';
// By its path: its name stands for this file.
const fastCheck = require(join(FOLDER, require(join(FOLDER, 'package.json')).exports['.'].require.default));

function seed() {
  const { FAST_CHECK_SEED: given } = process.env;
  if (given !== undefined) return Number(given);
  try {
    const hash = execFileSync('git', ['rev-parse', 'HEAD'], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
    return Number.parseInt(hash.slice(0, 7), 16);
  } catch {
    return 1;
  }
}

fastCheck.configureGlobal({ ...fastCheck.readConfigureGlobal(), seed: seed() });
module.exports = fastCheck;
