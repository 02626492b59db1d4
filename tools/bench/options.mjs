// What was asked for on the command line. Pure.
import { parseArgs } from 'node:util';
import { SUITES } from './sizes.mjs';

export const USAGE = `npm run bench -- [${SUITES.join('|')}|all] [--quick] [--profile] [--json FILE]`;

/** @returns {{ suites: string[], mode: 'full' | 'quick' | 'smoke', isProfiled: boolean, json: string | undefined } | { complaint: string }} */
export function readOptions(args) {
  let parsed;
  try {
    parsed = parseArgs({
      args,
      allowPositionals: true,
      options: {
        quick: { type: 'boolean' },
        smoke: { type: 'boolean' },
        profile: { type: 'boolean' },
        json: { type: 'string' },
      },
    });
  } catch (error) {
    return { complaint: error.message };
  }
  const { values, positionals } = parsed;
  const [suite = 'core', ...more] = positionals;
  if (more.length > 0) return { complaint: 'One suite, or all.' };
  if (suite !== 'all' && !SUITES.includes(suite))
    return { complaint: `There is no suite "${suite}". Suites: ${SUITES.join(', ')}, all.` };
  const mode = values.smoke ? 'smoke' : values.quick ? 'quick' : 'full';
  return { suites: suite === 'all' ? SUITES : [suite], mode, isProfiled: values.profile ?? false, json: values.json };
}
