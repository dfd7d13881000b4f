/** cv2.resize of 8-bit pictures: INTER_AREA, INTER_LINEAR and INTER_CUBIC, the same in every browser. */

import { Plane, clip, round } from "./planes.js";

const SHARPNESS = -0.75; // of OpenCV's cubic curve
const UNITS = 2048; // of a weight of 1 in linear interpolation

/**
 * Return a picture of another size.
 * @param kind "area" (to make smaller), "linear" or "cubic" (to make larger).
 */
export function resize(plane, width, height, kind) {
  if (width === plane.width && height === plane.height) return plane.crop({ x: 0, y: 0, w: width, h: height });
  const taps = { area: areaTaps, linear: linearTaps, cubic: cubicTaps }[kind];
  const [columns, rows] = [taps(plane.width, width), taps(plane.height, height)];
  const across = kind === "linear" ? new Int32Array(width * plane.height) : new Float64Array(width * plane.height);
  weighColumns(plane, columns, across);
  const result = new Plane(width, height);
  if (kind === "linear") weighTwoRows(across, rows, result);
  else weighRows(across, rows, result, plane.width === 2 * width && plane.height === 2 * height);
  return result;
}

/**
 * For every new pixel along a side: the first old pixel that it takes from, and its weights from there on, `most` of
 * them a pixel.
 */
class Taps {
  constructor(length, most) {
    Object.assign(this, { length, most });
    this.first = new Int32Array(length);
    this.weights = new Float64Array(length * most);
  }

  add(at, pixel, weight) {
    this.weights[at * this.most + pixel - this.first[at]] += weight;
  }
}

function areaTaps(old, length) {
  const scale = old / length;
  const taps = new Taps(length, Math.ceil(scale) + 1);
  for (let at = 0; at < length; at++) {
    const [start, end] = [at * scale, Math.min((at + 1) * scale, old)];
    const first = Math.min(Math.floor(start + 1e-9), old - 1);
    taps.first[at] = Math.min(first, old - taps.most);
    if (taps.first[at] < 0) taps.first[at] = 0;
    for (let pixel = first; pixel < Math.max(first + 1, Math.ceil(end - 1e-9)); pixel++) {
      taps.add(at, pixel, (Math.min(pixel + 1, end) - Math.max(pixel, start)) / (end - start));
    }
  }
  return taps;
}

/** Weights in 1/2048: OpenCV counts so in 8 bits. */
function linearTaps(old, length) {
  const taps = new Taps(length, Math.min(2, old));
  for (let at = 0; at < length; at++) {
    const place = clip(Math.fround((at + 0.5) * (old / length) - 0.5), 0, old - 1);
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
    const place = (at + 0.5) * (old / length) - 0.5;
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

function weighColumns({ width, height, data }, { length, most, first, weights }, across) {
  for (let y = 0, place = 0; y < height; y++) {
    const row = y * width;
    for (let x = 0; x < length; x++) {
      const start = row + first[x];
      const tap = x * most;
      let sum = 0;
      for (let step = 0; step < most; step++) sum += weights[tap + step] * data[start + step];
      across[place++] = sum;
    }
  }
}

/** Of a half in each direction OpenCV rounds halves up, else to the even number. */
function weighRows(across, { length, most, first, weights }, { width, data }, half) {
  const sums = new Float64Array(width);
  for (let y = 0, place = 0; y < length; y++) {
    sums.fill(0);
    for (let step = 0; step < most; step++) {
      const weight = weights[y * most + step];
      const row = (first[y] + step) * width;
      if (weight) for (let x = 0; x < width; x++) sums[x] += weight * across[row + x];
    }
    for (let x = 0; x < width; x++) data[place++] = half ? sums[x] + 0.5 : clip(rounded(Math.fround(sums[x])), 0, 255);
  }
}

/** Round halves to the even number; the quick way, for what is not far below 0. */
function rounded(value) {
  const whole = (value + 0.5) | 0;
  return whole - value === 0.5 && whole & 1 ? whole - 1 : whole;
}

function weighTwoRows(across, { length, most, first, weights }, { width, data }) {
  for (let y = 0, place = 0; y < length; y++) {
    for (let x = 0; x < width; x++) {
      let sum = 2;
      for (let step = 0; step < most; step++) {
        sum += (weights[y * most + step] * (across[(first[y] + step) * width + x] >> 4)) >> 16;
      }
      data[place++] = sum >> 2;
    }
  }
}
