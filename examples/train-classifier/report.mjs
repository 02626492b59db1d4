import { appendFileSync, mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';

/**
 * Where a training program tells how it goes: the terminal always, and the files that Muster names in the environment when
 * it runs us (`MUSTER_METRICS`, `MUSTER_PROGRESS`, `MUSTER_RESULT`, `MUSTER_OUTPUT_DIR`). Without them nothing is missing.
 */

const BAR_CELLS = 20;
/** A bar redrawn more often than this only makes the log longer. */
const REDRAWS_PER_EPOCH = 10;

const round = (value) => Math.round(value * 1e6) / 1e6;
const percent = (share) => `${(100 * share).toFixed(1)} %`;

function bar(share) {
  const full = Math.round(share * BAR_CELLS);
  return '█'.repeat(full) + '░'.repeat(BAR_CELLS - full);
}

/** Each line is on its way to disk before training goes on, so that a killed run keeps its curve. */
function appendTo(file, line) {
  if (file !== undefined) appendFileSync(file, `${line}\n`);
}

export function createReport({ env, print, epochs }) {
  let redrawn = -1;
  const epochName = (epoch) => `epoch ${String(epoch).padStart(String(epochs).length)}/${epochs}`;

  return {
    opening({ regions, rows, leftOut, parts, majority, settings }) {
      print(`Table      ${rows.length} places of the tz database in ${regions.length} regions (${leftOut} left out)\n`);
      print(
        `Split      ${parts.training.length} to learn, ${parts.validation.length} to watch, ${parts.heldOut.length} held out\n`,
      );
      print(`To beat    ${percent(majority)} by always guessing the largest region\n`);
      print(
        `Settings   ${Object.entries(settings)
          .map(([name, value]) => `${name}=${value}`)
          .join(' ')}\n\n`,
      );
    },

    batch({ epoch, share, loss }) {
      const redraw = Math.floor(share * REDRAWS_PER_EPOCH);
      if (redraw === redrawn) return;
      redrawn = redraw;
      print(
        `\r${epochName(epoch)} ${bar(share)} ${String(Math.round(100 * share)).padStart(3)} %  loss ${loss.toFixed(4)}`,
      );
    },

    epoch({ step, loss, accuracy, valLoss, valAccuracy }) {
      redrawn = -1;
      print(`  accuracy ${accuracy.toFixed(3)}  validation ${valAccuracy.toFixed(3)}\n`);
      const point = { step, loss, accuracy, valLoss, valAccuracy };
      appendTo(
        env.MUSTER_METRICS,
        JSON.stringify(Object.fromEntries(Object.entries(point).map(([key, value]) => [key, round(value)]))),
      );
      appendTo(env.MUSTER_PROGRESS, `${round(step / epochs)} ${epochName(step)}, loss ${loss.toFixed(4)}`);
    },

    /** Writes the model and the result, and says where they are. */
    closing({ regions, majority, heldOut, model, settings, seconds }) {
      // What lies in Muster's output folder goes with the attempt; MODEL_DIR names a place that stays.
      const directory = env.MODEL_DIR ?? env.MUSTER_OUTPUT_DIR ?? '.';
      mkdirSync(directory, { recursive: true });
      const modelFile = path.resolve(directory, 'model.json');
      writeFileSync(modelFile, JSON.stringify({ regions, layers: model }));
      const result = {
        heldOutAccuracy: round(heldOut.accuracy),
        heldOutLoss: round(heldOut.loss),
        majorityShare: round(majority),
        seconds: round(seconds),
        settings,
        regions,
        confusion: heldOut.confusion,
      };
      if (env.MUSTER_RESULT !== undefined) writeFileSync(env.MUSTER_RESULT, `${JSON.stringify(result)}\n`);

      print('\nHeld-out places by region (rows: real, columns: guessed)\n');
      print(`${confusionTable(regions, heldOut.confusion)}\n`);
      print(
        `Held-out accuracy ${percent(heldOut.accuracy)}, against ${percent(majority)} by guessing the largest region.\n`,
      );
      print(`Trained in ${seconds.toFixed(1)} s. Model in ${modelFile}\n`);
    },
  };
}

function confusionTable(regions, confusion) {
  const width = Math.max(...regions.map((region) => region.length));
  const heading = ' '.repeat(width) + regions.map((region) => region.slice(0, 4).padStart(6)).join('');
  const lines = confusion.map(
    (counts, label) => regions[label].padEnd(width) + counts.map((count) => String(count || '·').padStart(6)).join(''),
  );
  return [heading, ...lines].join('\n');
}
