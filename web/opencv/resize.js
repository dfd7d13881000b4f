/** cv2.resize of 8-bit pictures: INTER_AREA, INTER_LINEAR and INTER_CUBIC, the same in every browser. */

import { Plane, clip, round } from "./planes.js";

const SHARPNESS = -0.75; // of OpenCV's cubic curve
const LEAST = 1e-3; // of a pixel: what is less takes no part in a mean
const UNITS = 2048; // of a weight of 1 in linear interpolation

/**
 * Return a picture of another size.
 * @param kind "area" (to make smaller), "linear" or "cubic" (to make larger).
 */
export function resize(plane, width, height, kind) {
  if (width === plane.width && height === plane.height) return plane.crop({ x: 0, y: 0, w: width, h: height });
  const result = new Plane(width, height);
  const [across, down] = [ratio(plane.width, width), ratio(plane.height, height)];
  if (kind === "area" && isWhole(across) && isWhole(down)) {
    meanOfBlocks(plane, round(across), round(down), result);
    return result;
  }
  const taps = { area: areaTaps, linear: linearTaps, cubic: cubicTaps }[kind];
  const sums = new (kind === "linear" ? Int32Array : Float32Array)(width * plane.height);
  weighColumns(plane, taps(plane.width, width), sums);
  if (kind === "linear") weighTwoRows(sums, plane.height, result);
  else weighRows(sums, taps(plane.height, height), result);
  return result;
}

/** Return how many old pixels one new pixel spans, to the last digit as OpenCV counts it. */
function ratio(old, length) {
  return 1 / (length / old);
}

function isWhole(scale) {
  return Math.abs(scale - Math.round(scale)) < Number.EPSILON;
}

/**
 * For every new pixel along a side: the first old pixel that it takes from, and its weights from there on, `most` of
 * them a pixel.
 */
class Taps {
  constructor(length, most) {
    Object.assign(this, { length, most });
    this.first = new Int32Array(length);
    this.weights = new Float32Array(length * most);
  }

  add(at, pixel, weight) {
    this.weights[at * this.most + pixel - this.first[at]] += weight;
  }
}

function areaTaps(old, length) {
  const scale = ratio(old, length);
  const taps = new Taps(length, Math.min(Math.ceil(scale) + 1, old));
  for (let at = 0; at < length; at++) {
    const [start, end] = [at * scale, at * scale + scale];
    const cell = Math.min(scale, old - start);
    const last = Math.min(Math.floor(end), old - 1);
    const first = Math.min(Math.ceil(start), last);
    taps.first[at] = clip(first - 1, 0, old - taps.most);
    if (first - start > LEAST) taps.add(at, first - 1, (first - start) / cell);
    for (let pixel = first; pixel < last; pixel++) taps.add(at, pixel, 1 / cell);
    if (end - last > LEAST) taps.add(at, last, Math.min(end - last, 1, cell) / cell);
  }
  return taps;
}

/** Weights in 1/2048: OpenCV counts so in 8 bits. */
function linearTaps(old, length) {
  const taps = new Taps(length, Math.min(2, old));
  for (let at = 0; at < length; at++) {
    const place = clip(Math.fround((at + 0.5) * ratio(old, length) - 0.5), 0, old - 1);
    const low = Math.floor(place);
    taps.first[at] = Math.min(low, old - taps.most);
    taps.add(at, low, round((1 - (place - low)) * UNITS));
    if (place > low) taps.add(at, low + 1, round((place - low) * UNITS));
  }
  return taps;
}

function cubicTaps(old, length) {
  const taps = new Taps(length, Math.min(4, old));
  for (let at = 0; at < length; at++) {
    const place = (at + 0.5) * ratio(old, length) - 0.5;
    const low = Math.floor(place);
    taps.first[at] = clip(low - 1, 0, old - taps.most);
    cubic(place - low).forEach((weight, step) => taps.add(at, clip(low - 1 + step, 0, old - 1), weight));
  }
  return taps;
}

function cubic(part) {
  const far = (x) => SHARPNESS * (((x - 5) * x + 8) * x - 4);
  const near = (x) => ((SHARPNESS + 2) * x - (SHARPNESS + 3)) * x * x + 1;
  const three = [far(part + 1), near(part), near(1 - part)];
  return [...three, 1 - three[0] - three[1] - three[2]];
}

/** Sums in 32 bits: whole numbers stay whole, and all others are rounded as often as OpenCV rounds them. */
function weighColumns({ width, height, data }, { length, most, first, weights }, sums) {
  const { fround } = Math;
  for (let y = 0, place = 0; y < height; y++) {
    const row = y * width;
    for (let x = 0; x < length; x++) {
      const start = row + first[x];
      const tap = x * most;
      let sum = 0;
      for (let step = 0; step < most; step++) sum = fround(sum + fround(weights[tap + step] * data[start + step]));
      sums[place++] = sum;
    }
  }
}

function weighRows(sums, { length, most, first, weights }, { width, data }) {
  const { fround } = Math;
  const totals = new Float32Array(width);
  for (let y = 0, place = 0; y < length; y++) {
    totals.fill(0);
    for (let step = 0; step < most; step++) {
      const weight = weights[y * most + step];
      const row = (first[y] + step) * width;
      if (weight) for (let x = 0; x < width; x++) totals[x] += fround(weight * sums[row + x]);
    }
    for (let x = 0; x < width; x++) data[place++] = clip(rounded(totals[x]), 0, 255);
  }
}

/** Round halves to the even number; the quick way, for what is not far below 0. */
function rounded(value) {
  const whole = (value + 0.5) | 0;
  return whole - value === 0.5 && whole & 1 ? whole - 1 : whole;
}

/** Beyond the border OpenCV weighs the outermost row twice, and rounds twice. */
function weighTwoRows(sums, old, { width, height, data }) {
  for (let y = 0, place = 0; y < height; y++) {
    const at = Math.fround((y + 0.5) * ratio(old, height) - 0.5);
    const low = Math.floor(at);
    const [upper, lower] = [low, low + 1].map((row) => clip(row, 0, old - 1) * width);
    const [above, below] = [1 - (at - low), at - low].map((weight) => round(weight * UNITS));
    for (let x = 0; x < width; x++) {
      data[place++] = (((above * (sums[upper + x] >> 4)) >> 16) + ((below * (sums[lower + x] >> 4)) >> 16) + 2) >> 2;
    }
  }
}

/** Of two by two pixels OpenCV rounds halves up, else to the even number. */
function meanOfBlocks(plane, across, down, { width, height, data }) {
  const [count, share] = [across * down, Math.fround(1 / (across * down))];
  for (let y = 0, place = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      let sum = 0;
      for (let row = y * down; row < (y + 1) * down; row++) {
        const start = row * plane.width + x * across;
        for (let at = start; at < start + across; at++) sum += plane.data[at];
      }
      data[place++] = across === 2 && down === 2 ? (sum + 2) >> 2 : rounded(Math.fround(sum * share));
    }
  }
}
