import { parseArgs } from 'node:util';

/** What can be set, by environment or by flag (`EPOCHS=20` or `--epochs 20`; the flag wins). */
const SETTINGS = {
  seed: { default: 7, whole: true, min: 0, max: 2 ** 32 - 1, meaning: 'start of the random sequence' },
  epochs: { default: 60, whole: true, min: 1, max: 100_000, meaning: 'how often the whole table is shown' },
  learningRate: { default: 0.01, min: 1e-6, max: 10, meaning: 'length of one step' },
  hidden: { default: 64, whole: true, min: 1, max: 1024, meaning: 'units in each of the two hidden layers' },
  batchSize: { default: 16, whole: true, min: 1, max: 4096, meaning: 'rows per step' },
  views: {
    default: 12,
    whole: true,
    min: 1,
    max: 1000,
    meaning: 'how often a place is shown per epoch, each time slightly moved',
  },
};

const words = (name) => name.split(/(?=[A-Z])/).map((word) => word.toLowerCase());
const flagOf = (name) => words(name).join('-');
const variableOf = (name) => words(name).join('_').toUpperCase();

function complaintAbout(name, text, source) {
  const { whole, min, max } = SETTINGS[name];
  const value = Number(text);
  const isGood =
    text.trim() !== '' && Number.isFinite(value) && (!whole || Number.isInteger(value)) && value >= min && value <= max;
  return isGood
    ? undefined
    : `${source} is "${text}", but must be a ${whole ? 'whole ' : ''}number from ${min} to ${max}.`;
}

/**
 * Reads every setting and gathers every complaint, so that a person mends them all at once.
 *
 * @param {string[]} argv the program's own arguments
 * @param {Record<string, string | undefined>} env
 * @returns {{ settings: Record<keyof typeof SETTINGS, number>, complaints: string[] }}
 */
export function readSettings(argv, env) {
  const options = Object.fromEntries(Object.keys(SETTINGS).map((name) => [flagOf(name), { type: 'string' }]));
  let flags = {};
  const complaints = [];
  try {
    flags = parseArgs({ args: argv, options }).values;
  } catch (error) {
    complaints.push(error.message);
  }
  const settings = {};
  for (const [name, { default: fallback }] of Object.entries(SETTINGS)) {
    const flag = flags[flagOf(name)];
    const text = flag ?? env[variableOf(name)];
    if (text === undefined) {
      settings[name] = fallback;
      continue;
    }
    const complaint = complaintAbout(name, text, flag === undefined ? variableOf(name) : `--${flagOf(name)}`);
    if (complaint) complaints.push(complaint);
    settings[name] = Number(text);
  }
  return { settings, complaints };
}

/** One line per setting, for `--help`. */
export function settingsHelp() {
  return Object.entries(SETTINGS).map(([name, { default: fallback, meaning }]) => {
    const names = `--${flagOf(name)}, ${variableOf(name)}`;
    return `  ${names.padEnd(34)}${meaning} (default ${fallback})`;
  });
}
