import { gaussian } from './random.mjs';

/**
 * A small network: inputs → tanh → tanh → softmax, trained by mini-batch gradient descent with momentum.
 * Plain arrays and loops; a layer is one flat weight matrix, a row per unit, its bias last.
 */

function createLayer(inputs, units, random) {
  const width = inputs + 1;
  const weights = new Float64Array(units * width);
  for (let unit = 0; unit < units; unit++) {
    for (let input = 0; input < inputs; input++) weights[unit * width + input] = gaussian(random) / Math.sqrt(inputs);
  }
  return {
    inputs,
    units,
    weights,
    gradient: new Float64Array(weights.length),
    velocity: new Float64Array(weights.length),
    output: new Float64Array(units),
    delta: new Float64Array(units),
  };
}

/** A fresh network with random weights. */
export function createNetwork({ inputs, hidden, outputs, random }) {
  return [
    createLayer(inputs, hidden, random),
    createLayer(hidden, hidden, random),
    createLayer(hidden, outputs, random),
  ];
}

function weightedSums({ inputs, units, weights, output }, input) {
  const width = inputs + 1;
  for (let unit = 0; unit < units; unit++) {
    const row = unit * width;
    let sum = weights[row + inputs];
    for (let index = 0; index < inputs; index++) sum += weights[row + index] * input[index];
    output[unit] = sum;
  }
}

/** Turns sums into chances that add up to one; the largest is taken out first so that `exp` cannot overflow. */
function softmax(values) {
  let largest = -Infinity;
  for (const value of values) largest = Math.max(largest, value);
  let total = 0;
  for (let index = 0; index < values.length; index++) {
    values[index] = Math.exp(values[index] - largest);
    total += values[index];
  }
  for (let index = 0; index < values.length; index++) values[index] /= total;
}

/** The chance of each label. The array belongs to the network and is overwritten by the next call. */
export function predict(network, input) {
  let current = input;
  network.forEach((layer, depth) => {
    weightedSums(layer, current);
    if (depth === network.length - 1) softmax(layer.output);
    else for (let unit = 0; unit < layer.units; unit++) layer.output[unit] = Math.tanh(layer.output[unit]);
    current = layer.output;
  });
  return current;
}

/** Adds one row's gradient to the network's and returns the row's loss (cross entropy, in nats). */
export function learnRow(network, { input, label }) {
  const chances = predict(network, input);
  const last = network.length - 1;
  network[last].delta.set(chances);
  network[last].delta[label] -= 1;
  for (let depth = last; depth >= 0; depth--) {
    const layer = network[depth];
    const below = depth === 0 ? undefined : network[depth - 1];
    const source = below?.output ?? input;
    const width = layer.inputs + 1;
    below?.delta.fill(0);
    for (let unit = 0; unit < layer.units; unit++) {
      const delta = layer.delta[unit];
      const row = unit * width;
      for (let index = 0; index < layer.inputs; index++) {
        layer.gradient[row + index] += delta * source[index];
        if (below) below.delta[index] += delta * layer.weights[row + index];
      }
      layer.gradient[row + layer.inputs] += delta;
    }
    // The slope of tanh is 1 - tanh².
    if (below) for (let unit = 0; unit < below.units; unit++) below.delta[unit] *= 1 - below.output[unit] ** 2;
  }
  return -Math.log(Math.max(chances[label], 1e-12));
}

/** Moves the weights against the gathered gradient of `rows` rows and forgets it. */
export function step(network, { rows, learningRate, momentum }) {
  for (const { weights, gradient, velocity } of network) {
    for (let index = 0; index < weights.length; index++) {
      velocity[index] = momentum * velocity[index] - (learningRate * gradient[index]) / rows;
      weights[index] += velocity[index];
      gradient[index] = 0;
    }
  }
}

/** How the network does on rows it is not learning from; `confusion[real][guessed]` counts rows. */
export function evaluate(network, rows, labels) {
  const confusion = Array.from({ length: labels }, () => new Array(labels).fill(0));
  let loss = 0;
  let right = 0;
  for (const { input, label } of rows) {
    const chances = predict(network, input);
    const guess = chances.indexOf(Math.max(...chances));
    confusion[label][guess] += 1;
    if (guess === label) right += 1;
    loss -= Math.log(Math.max(chances[label], 1e-12));
  }
  return { loss: loss / rows.length, accuracy: right / rows.length, confusion };
}

/** The weights as plain data, enough to predict elsewhere. */
export function toModel(network) {
  return network.map(({ inputs, units, weights }) => ({ inputs, units, weights: [...weights] }));
}
