import { setImmediate as breathe } from 'node:timers/promises';
import { createNetwork, evaluate, learnRow, step } from './network.mjs';
import { createRandom, gaussian, shuffle } from './random.mjs';

const MOMENTUM = 0.9;

/** How far a place is moved when it is shown again: about 2 degrees, so that regions are learned and not points. */
const MOVE = 0.035;

/** The rate falls to a fiftieth along half a cosine: long steps first, fine ones at the end. */
function rateAt(progress, { learningRate }) {
  return learningRate * (0.02 + 0.98 * (0.5 + 0.5 * Math.cos(Math.PI * progress)));
}

/** The same place, slightly elsewhere on the globe. */
function moved({ input, label }, random) {
  const point = input.map((value) => value + MOVE * gaussian(random));
  const length = Math.hypot(...point);
  return { input: point.map((value) => value / length), label };
}

/**
 * Trains a network and reports as it goes.
 *
 * @param {object} options
 * @param {{ training: object[], validation: object[] }} options.parts
 * @param {number} options.labels how many labels there are
 * @param {(done: { epoch: number, share: number, loss: number }) => void} options.onBatch share of the epoch done, 0 to 1
 * @param {(done: { step: number, loss: number, accuracy: number, valLoss: number, valAccuracy: number }) => void} options.onEpoch
 * @param {() => boolean} options.shouldStop asked between batches; true ends the training early
 * @returns {Promise<{ network: object[], epochsDone: number }>}
 */
export async function train({ parts, labels, settings, onBatch, onEpoch, shouldStop }) {
  const random = createRandom(settings.seed);
  const inputs = parts.training[0].input.length;
  const network = createNetwork({ inputs, hidden: settings.hidden, outputs: labels, random });
  const shown = Array.from({ length: settings.views }, () => parts.training).flat();

  for (let epoch = 1; epoch <= settings.epochs; epoch++) {
    shuffle(shown, random);
    let loss = 0;
    for (let from = 0; from < shown.length; from += settings.batchSize) {
      const batch = shown.slice(from, from + settings.batchSize);
      for (const row of batch) loss += learnRow(network, moved(row, random));
      const learningRate = rateAt((epoch - 1 + from / shown.length) / settings.epochs, settings);
      step(network, { rows: batch.length, learningRate, momentum: MOMENTUM });

      const rowsDone = from + batch.length;
      onBatch({ epoch, share: rowsDone / shown.length, loss: loss / rowsDone });
      // Signals are delivered only when the program lets go for a moment.
      await breathe();
      if (shouldStop()) return { network, epochsDone: epoch - 1 };
    }
    const { accuracy } = evaluate(network, parts.training, labels);
    const validation = evaluate(network, parts.validation, labels);
    onEpoch({
      step: epoch,
      loss: loss / shown.length,
      accuracy,
      valLoss: validation.loss,
      valAccuracy: validation.accuracy,
    });
  }
  return { network, epochsDone: settings.epochs };
}
