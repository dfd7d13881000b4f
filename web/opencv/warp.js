/** cv2.warpAffine for a scale and a shift, INTER_LINEAR, with a constant beyond the border. */

import { Plane } from "./planes.js";

/**
 * Return float32 (side, side).
 * @param shift where the picture's origin comes to lie, [x, y] in pixels of the result.
 */
export function scaledAndShifted({ width, height, data }, scale, shift, side, beyond) {
  const result = Plane.floats(side, side);
  const value = (x, y) => (x < 0 || y < 0 || x >= width || y >= height ? beyond : data[y * width + x]);
  for (let row = 0, place = 0; row < side; row++) {
    const down = (row - shift[1]) / scale;
    const y = Math.floor(down);
    for (let column = 0; column < side; column++) {
      const across = (column - shift[0]) / scale;
      const x = Math.floor(across);
      const upper = between(value(x, y), value(x + 1, y), across - x);
      const lower = between(value(x, y + 1), value(x + 1, y + 1), across - x);
      result.data[place++] = between(upper, lower, down - y);
    }
  }
  return result;
}

function between(first, second, part) {
  return first + (second - first) * part;
}
