/** cv2.blur and cv2.dilate. */

import { Plane } from "./planes.js";

/**
 * Return the mean of the `side` x `side` pixels round each, float32: cv2.blur.
 * @param border "reflect" (the outermost pixel is repeated) or "reflect101" (it is not).
 */
export function blur(plane, side, border) {
  const across = meansOfRows(plane, side, border);
  return transposed(meansOfRows(transposed(across), side, border));
}

function meansOfRows({ width, height, data }, side, border) {
  const reach = side >> 1;
  const places = Int32Array.from({ length: width + side - 1 }, (_, at) => mirrored(at - reach, width, border));
  const means = Plane.floats(width, height);
  for (let y = 0; y < height; y++) {
    const row = y * width;
    let sum = 0;
    for (let at = 0; at < side - 1; at++) sum += data[row + places[at]];
    for (let x = 0; x < width; x++) {
      sum += data[row + places[x + side - 1]];
      means.data[row + x] = sum / side;
      sum -= data[row + places[x]];
    }
  }
  return means;
}

/** Return which pixel stands at a place beyond the border. */
export function mirrored(at, length, border) {
  const again = border === "reflect" ? 1 : 0;
  if (length === 1) return 0;
  while (at < 0 || at >= length) at = at < 0 ? -at - again : 2 * length - 2 + again - at;
  return at;
}

function transposed({ width, height, data }) {
  const turned = Plane.floats(height, width);
  for (let y = 0, place = 0; y < height; y++) {
    for (let x = 0; x < width; x++) turned.data[x * height + y] = data[place++];
  }
  return turned;
}

/** Return the largest of the `side` x `side` pixels round each: cv2.dilate with a square of ones. */
export function dilate(plane, side) {
  const before = side >> 1;
  return highestOfColumns(highestOfRows(plane, side, before), side, before);
}

function highestOfRows({ width, height, data }, side, before) {
  const result = new Plane(width, height, new data.constructor(data.length));
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      let most = -Infinity;
      const end = Math.min(width, x - before + side);
      for (let at = Math.max(0, x - before); at < end; at++) most = Math.max(most, data[y * width + at]);
      result.data[y * width + x] = most;
    }
  }
  return result;
}

function highestOfColumns({ width, height, data }, side, before) {
  const result = new Plane(width, height, new data.constructor(data.length));
  for (let y = 0; y < height; y++) {
    const [first, end] = [Math.max(0, y - before), Math.min(height, y - before + side)];
    for (let x = 0; x < width; x++) {
      let most = -Infinity;
      for (let at = first; at < end; at++) most = Math.max(most, data[at * width + x]);
      result.data[y * width + x] = most;
    }
  }
  return result;
}
