/** Of a mask: how long its outline is, and how far every pixel lies from it. */

import { Plane } from "./planes.js";

// The eight neighbours in order round a pixel; those with even numbers share a side with it.
const AROUND = [[1, 0], [1, 1], [0, 1], [-1, 1], [-1, 0], [-1, -1], [0, -1], [1, -1]];
// cv2.distanceTransform counts in 1/65536: steps to the side, to the corner, and a knight's.
const ONE = 65536, SIDE = 65536, CORNER = 91750, KNIGHT = 143976;
const FAR = 0x3fffffff;

/**
 * Return the length of all outlines of a mask, holes' as well: the sum of cv2.arcLength over cv2.findContours.
 *
 * An outline passes a pixel once for each run of empty neighbours that has a side in common with it, and goes on to
 * the neighbour behind that run. The outermost pixels of the mask must be empty.
 */
export function perimeter({ width, height, data }) {
  const steps = AROUND.map(([x, y]) => y * width + x);
  let [straight, slanted] = [0, 0];
  for (let place = width; place < width * (height - 1); place++) {
    if (!data[place]) continue;
    let empty = 0;
    for (let way = 0; way < 8; way++) if (!data[place + steps[way]]) empty |= 1 << way;
    if (!empty || empty === 255) continue;
    for (let way = 0; way < 8; way++) {
      const before = (way + 7) % 8;
      if (empty & (1 << way) || !(empty & (1 << before))) continue; // no neighbour behind a run
      if (!sharesSide(empty, before)) continue;
      if (way % 2) slanted++;
      else straight++;
    }
  }
  return straight + slanted * Math.SQRT2;
}

/** Return whether the run of empty neighbours that ends with one has a side in common with the pixel. */
function sharesSide(empty, last) {
  for (let way = last; empty & (1 << way); way = (way + 7) % 8) if (way % 2 === 0) return true;
  return false;
}

/** Return float32 distances to the nearest pixel that is 0: cv2.distanceTransform, DIST_L2 with a mask of 5. */
export function distanceTransform({ width, height, data }) {
  const wide = width + 4;
  const far = new Int32Array(wide * (height + 4)).fill(FAR);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const place = (y + 2) * wide + x + 2;
      far[place] = data[y * width + x] ? nearest(far, place, -1, wide) : 0;
    }
  }
  const result = Plane.floats(width, height);
  for (let y = height - 1; y >= 0; y--) {
    for (let x = width - 1; x >= 0; x--) {
      const place = (y + 2) * wide + x + 2;
      if (far[place]) far[place] = nearest(far, place, 1, wide);
      result.data[y * width + x] = far[place] / ONE;
    }
  }
  return result;
}

/** Return the way from a place over the half of its neighbours that `sign` (1 or -1) points to. */
function nearest(far, place, sign, wide) {
  const row = sign * wide;
  const side = Math.min(far[place + row], far[place + sign]) + SIDE;
  const corner = Math.min(far[place + row - 1], far[place + row + 1]) + CORNER;
  const flat = Math.min(far[place + row - 2], far[place + row + 2]);
  const steep = Math.min(far[place + 2 * row - 1], far[place + 2 * row + 1]);
  return Math.min(far[place], side, corner, flat + KNIGHT, steep + KNIGHT);
}
