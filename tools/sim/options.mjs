import { parseArgs } from 'node:util';

export const USAGE = 'npm run sim -- [--schedules N] [--seed S] [--profile exclusive|reclaim]';
const SCHEDULES_DEFAULT = '100000';

/** What was asked for, or what is wrong with it. */
export function readOptions(args) {
  try {
    const text = { type: 'string' };
    const { values } = parseArgs({ args, options: { schedules: text, seed: text, profile: text } });
    const schedules = Number(values.schedules ?? SCHEDULES_DEFAULT);
    if (!Number.isSafeInteger(schedules) || schedules < 1) return { complaint: `Expected a number of schedules, got ${values.schedules}.` };
    if (values.seed !== undefined && !/^[0-9a-f]+$/.test(values.seed)) return { complaint: `Expected a number or a commit hash as seed, got ${values.seed}.` };
    if (values.profile !== undefined && !['exclusive', 'reclaim'].includes(values.profile)) return { complaint: `There is no profile ${values.profile}.` };
    return { schedules, seed: values.seed, profile: values.profile };
  } catch (error) {
    return { complaint: error.message };
  }
}
