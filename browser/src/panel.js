// How a panel lies in the slots of one ciphertext, masked mode: the same as fhirtwin/ckks/packing.py, which says why.

import { SLOTS } from './ring.js';

const TOLERANCE = 2.5e-4;
const STEP = 1000;
const NOISE_RATIO_BITS = 1.3;
const LARGEST_GAIN_BITS = 6;
const LEAST_FACTOR = 0.25;
const GREATEST_FACTOR = 0.5;
const LARGEST_CASE = 1 - GREATEST_FACTOR;

/** What a wrong answer is told by, whichever check it fails. */
export class AnswerRefused extends Error {}

export class Panel {
  /** Takes `{features, low, high, rows, weights}`; `weights` are rows of numbers. */
  constructor({ features, low, high, rows, weights }) {
    Object.assign(this, { features, low, high, rows, weights });
    this.largest = low.map((value, place) => Math.max(Math.abs(value), Math.abs(high[place])));
    this.gains = features.map((_, place) => this.#gain(place));
    this.lanes = 2 * rows.length;
    this.blocks = Math.ceil(features.length / 2);
    this.used = this.blocks * this.lanes;
    if (this.used > SLOTS) {
      throw new Error('The panel does not fit a ciphertext.');
    }
  }

  /** SHA-256 of names, bounds and weights, in hexadecimal: the gateway and the engine must hold the same panel. */
  async digest() {
    const names = [this.features, this.rows].map((list) => new TextEncoder().encode(`${list.join('\0')}\x01`));
    const numbers = [this.low, this.high, this.weights.flat()].map((list) => littleEndian(list));
    const separated = numbers.flatMap((bytes) => [bytes, Uint8Array.of(1)]);
    return hexadecimal(await crypto.subtle.digest('SHA-256', await new Blob([...names, ...separated]).arrayBuffer()));
  }

  /** Lay out checked values and a probe that hides them: slots, and the secrets by which the answer is judged. */
  lay(values) {
    this.#refuseOutside(values);
    const [first, ...drawn] = uniform(1 + values.length);
    const factor = Math.sign(first || 1) * (LEAST_FACTOR + Math.abs(first) * (GREATEST_FACTOR - LEAST_FACTOR));
    const known = drawn.map((number, place) => number * LARGEST_CASE * this.largest[place]);
    const probe = known.map((value, place) => factor * values[place] + value);
    const slots = { re: new Float64Array(SLOTS), im: new Float64Array(SLOTS) };
    this.#spread(slots, values, 0);
    this.#spread(slots, probe, this.rows.length);
    return { slots, secrets: { factor, known } };
  }

  /** Judge what was opened, and give the sum of each row, not rounded. Every check is made, whichever fails. */
  sums({ re, im }, { factor, known }) {
    const totals = Array.from({ length: this.lanes }, (_, lane) => this.#laneSum(re, lane));
    const sums = totals.slice(0, this.rows.length);
    const good = [
      re.every(Number.isFinite) && im.every(Number.isFinite),
      sums.every((sum, row) => {
        const off = totals[this.rows.length + row] - factor * sum - dot(this.weights[row], known);
        return Math.abs(off) <= TOLERANCE;
      }),
      re.every((value, slot) => slot < this.used || Math.hypot(value, im[slot]) <= TOLERANCE),
      sums.every((sum, row) => {
        const { least, greatest } = this.#range(row);
        return sum >= least - TOLERANCE && sum <= greatest + TOLERANCE;
      }),
    ];
    if (!good.every(Boolean)) {
      throw new AnswerRefused('The answer failed the checks and was thrown away; nothing was calculated from it.');
    }
    return sums;
  }

  #gain(place) {
    const weight = Math.max(...this.weights.map((row) => Math.abs(row[place])));
    const usable = weight > 0 && this.largest[place] > 0;
    const ratio = (usable ? weight : 1) / (usable ? this.largest[place] : 1);
    const bits = Math.round((NOISE_RATIO_BITS + Math.log2(ratio)) / 2);
    return 2 ** Math.min(Math.max(bits, -LARGEST_GAIN_BITS), LARGEST_GAIN_BITS);
  }

  #refuseOutside(values) {
    values.forEach((value, place) => {
      if (!(value === 0 || (value >= this.low[place] && value <= this.high[place]))) {
        throw new Error(`Feature ${this.features[place]} is outside the range its predictor declares.`);
      }
    });
  }

  #spread(slots, values, firstLane) {
    for (let block = 0; block < this.blocks; block += 1) {
      const [one, other] = [2 * block, 2 * block + 1].map((place) => (values[place] ?? 0) * (this.gains[place] ?? 0));
      const start = block * this.lanes + firstLane;
      slots.re.fill(one, start, start + this.rows.length);
      slots.im.fill(other, start, start + this.rows.length);
    }
  }

  #laneSum(re, lane) {
    let total = 0;
    for (let block = 0; block < this.blocks; block += 1) {
      total += re[block * this.lanes + lane];
    }
    return total;
  }

  #range(row) {
    const ends = this.weights[row].map((weight, place) => [
      weight * Math.min(this.low[place], 0),
      weight * Math.max(this.high[place], 0),
    ]);
    return {
      least: ends.reduce((total, pair) => total + Math.min(...pair), 0),
      greatest: ends.reduce((total, pair) => total + Math.max(...pair), 0),
    };
  }
}

/** Round a sum as the vault does: to a step that leaves next to nothing of the noise, which tells of the key. */
export function rounded(sum) {
  return Math.round(sum * STEP) / STEP;
}

export function hexadecimal(bytes) {
  return Array.from(new Uint8Array(bytes), (byte) => byte.toString(16).padStart(2, '0')).join('');
}

/** Secret numbers between -1 and 1. */
function uniform(count) {
  const drawn = crypto.getRandomValues(new BigUint64Array(count));
  return Array.from(drawn, (bits) => Number(bits >> 11n) * 2 ** -52 - 1);
}

function dot(weights, values) {
  return weights.reduce((total, weight, place) => total + weight * values[place], 0);
}

function littleEndian(numbers) {
  const view = new DataView(new ArrayBuffer(8 * numbers.length));
  numbers.forEach((number, place) => view.setFloat64(8 * place, number, true));
  return new Uint8Array(view.buffer);
}
