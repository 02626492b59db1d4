#!/usr/bin/env node
/**
 * Learns to tell in which region of the world a place lies from nothing but where it is on the globe.
 *
 *   node examples/train-classifier/train.mjs --epochs 40 --seed 3
 *
 * The table is real (see NOTICE). Runs by hand as well as under Muster.
 */
import { evaluate, toModel } from './network.mjs';
import { loadPlaces, majorityShare, splitPlaces } from './places.mjs';
import { createReport } from './report.mjs';
import { readSettings, settingsHelp } from './settings.mjs';
import { train } from './training.mjs';

/** Exit codes as shells count them: 128 and the number of the signal. */
const EXIT_BY_SIGNAL = { SIGTERM: 143, SIGINT: 130 };

async function main() {
  if (process.argv.includes('--help')) {
    console.log(['Usage: node train.mjs [settings]', ...settingsHelp()].join('\n'));
    return 0;
  }
  const { settings, complaints } = readSettings(process.argv.slice(2), process.env);
  if (complaints.length > 0) {
    console.error(complaints.join('\n'));
    return 2;
  }

  let signal;
  for (const name of Object.keys(EXIT_BY_SIGNAL)) process.once(name, () => (signal = name));

  const places = loadPlaces();
  const parts = splitPlaces(places);
  const majority = majorityShare(parts.heldOut);
  const report = createReport({
    env: process.env,
    print: (text) => process.stdout.write(text),
    epochs: settings.epochs,
  });
  report.opening({ ...places, parts, majority, settings });

  const startedAt = performance.now();
  const { network, epochsDone } = await train({
    parts,
    labels: places.regions.length,
    settings,
    onBatch: report.batch,
    onEpoch: report.epoch,
    shouldStop: () => signal !== undefined,
  });
  if (signal !== undefined) {
    console.error(`\nStopped by ${signal} after ${epochsDone} of ${settings.epochs} epochs; no model was written.`);
    return EXIT_BY_SIGNAL[signal];
  }
  const heldOut = evaluate(network, parts.heldOut, places.regions.length);
  const seconds = (performance.now() - startedAt) / 1000;
  report.closing({ regions: places.regions, majority, heldOut, model: toModel(network), settings, seconds });
  return 0;
}

main().then(
  (code) => (process.exitCode = code),
  (error) => {
    console.error(`\nThe training failed: ${error.message}`);
    process.exitCode = 1;
  },
);
