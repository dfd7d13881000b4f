/** The ink of one digit, where the finder sees strokes. A twin of reading/finding/ink.py. */

import { connectedComponents } from "../opencv/components.js";
import { blur } from "../opencv/filters.js";
import { Plane, clip, filled, meanOfHighest, stepsOf } from "../opencv/planes.js";
import { numbers } from "./settings.js";

const { HALF, SHARE, SHARPEST } = numbers.ink;

/** Return whether two inks of a digit, white on black, hardly have the same area. */
export function differ(ink, other) {
  const [area, more] = [ink, other].map(({ data }) => data.reduce((count, value) => count + (value > HALF), 0));
  return Math.abs(area - more) > SHARE * Math.max(area, more);
}

/** Return the pixels that the sharpest edges in a box of a look go over, across or up and down: where it is more. */
export function blurOf(grey, { x, y, w, h }) {
  const [left, top] = [Math.max(0, x - 2), Math.max(0, y - 2)];
  const part = grey.crop({ x: left, y: top, w: x + w + 2 - left, h: y + h + 2 - top });
  const contrast = part.max() - part.data.reduce((least, value) => Math.min(least, value), 255);
  const sharpest = Math.min(...stepsOf(part).map((steps) => meanOfHighest(steps, SHARPEST)));
  return Math.max(contrast, 1) / Math.max(sharpest, 1);
}

/** Return the ink: where the network sees a stroke the picture's own grey says how much of one. */
export function drawnInk(grey, share, own, rules) {
  const contrast = contrastOf(grey, share, own, rules);
  if (!contrast) return asInk(share, (place) => 255 * share.data[place] * own.data[place]);
  const strokes = strokesOf(own, share, rules).data;
  return asInk(share, (place) => (strokes[place] ? contrast[place] : 0));
}

export function asInk({ width, height }, value) {
  return new Plane(width, height, filled(Uint8Array, width * height, (place) => clip(value(place), 0, 255)));
}

/** Return how much of a stroke each pixel is by its grey, 255: all of it; null without paper. */
export function contrastOf(grey, share, own, rules) {
  const { width, height } = share;
  const pixels = (value) => new Plane(width, height, filled(Uint8Array, width * height, value));
  const paper = pixels((place) => share.data[place] < rules.paper);
  const side = Math.max(3, Math.min(width, height) | 1);
  const around = blur(paper, side, "reflect").data;
  if (around.some((value) => value < rules.scarce)) return null;
  const tone = blur(pixels((place) => grey.data[place] * paper.data[place]), side, "reflect").data;
  const contrast = filled(Float32Array, width * height, (place) => grey.data[place] - tone[place] / around[place]);
  const strength = strengthOf(contrast, share.data, own.data);
  if (Math.abs(strength) < rules.faintest) return null;
  const factor = Math.fround(255 / strength);
  return contrast.map((value) => value * factor);
}

function strengthOf(contrast, share, own) {
  let [sum, weights] = [0, 0];
  for (let place = 0; place < contrast.length; place++) {
    const weight = own[place] ? share[place] ** 2 : 0;
    sum += contrast[place] * weight;
    weights += weight;
  }
  return sum / Math.max(weights, 1e-6);
}

/** Return where a digit's strokes are: what may be ink and hangs together with what surely is. */
function strokesOf(own, share, rules) {
  const maybe = own.data.map((mine, place) => mine && share.data[place] > rules.maybe);
  return surePieces(new Plane(own.width, own.height, maybe), own, share, rules);
}

/** Return the pieces of a mask in which some pixel of one's own surely is ink. */
export function surePieces(mask, own, share, rules) {
  let highest = 0;
  share.data.forEach((value, place) => own.data[place] && (highest = Math.max(highest, value)));
  const { count, numbers: pieces } = connectedComponents(mask);
  const sure = new Uint8Array(count);
  mask.data.forEach((may, place) => {
    if (may && own.data[place] && share.data[place] > rules.sure * highest) sure[pieces[place]] = 1;
  });
  return new Plane(mask.width, mask.height, mask.data.map((may, place) => may && sure[pieces[place]]));
}
