/** From the ink of one digit to its 96x96 tile. A twin of reading/tile.py. */

import { blur, dilate } from "../opencv/filters.js";
import { distanceTransform, perimeter } from "../opencv/outline.js";
import { Plane, boundingBox, clip, filled, round } from "../opencv/planes.js";
import { resize } from "../opencv/resize.js";
import { scaledAndShifted } from "../opencv/warp.js";
import { numbers } from "./settings.js";

const { TILE_SIZE, LONG_SIDE, MIN_STROKE, MAX_STROKE, EDGE, WORK_SIDE, INK_LEVEL, PAD } = numbers.tile;
const MIDDLE = (TILE_SIZE - 1) / 2;
const BEYOND = -1e3;

/** Return the tile of one digit's ink, white on black: a Plane of TILE_SIZE. */
export function normalise(ink) {
  const { mask, stroke } = outline(atWorkSize(cropped(ink)));
  const distance = signedDistance(mask);
  const { scale, grow } = scaleAndGrow(Math.max(mask.width, mask.height) - 2 * PAD, stroke);
  const centre = [(mask.width - 1) / 2, (mask.height - 1) / 2];
  const mass = centreOfMass(draw(distance, scale, grow, centre));
  return draw(distance, scale, grow, centre.map((place, axis) => place + (mass[axis] - MIDDLE) / scale));
}

function above(plane, level) {
  const { width, height, data } = plane;
  return new Plane(width, height, filled(Uint8Array, data.length, (place) => data[place] > level));
}

function cropped(ink) {
  const peak = ink.max();
  if (!peak) throw new Error("ink is blank: it has no pixel above 0");
  return ink.crop(boundingBox(above(ink, peak * INK_LEVEL * 0.5)));
}

function atWorkSize(ink) {
  const scale = WORK_SIDE / Math.max(ink.width, ink.height);
  // A thin stroke would fade away in the reduction: widen it to the width of one pixel of the result.
  const wide = scale < 0.5 ? dilate(ink, Math.max(1, round(0.5 / scale))) : ink;
  const [width, height] = [ink.width, ink.height].map((side) => Math.max(1, round(side * scale)));
  return resize(wide, width, height, scale < 1 ? "area" : "cubic").padded(PAD);
}

function outline(work) {
  const whole = above(work, work.max() * INK_LEVEL);
  const mask = whole.crop(boundingBox(whole)).padded(PAD);
  const area = mask.data.reduce((sum, value) => sum + value, 0);
  return { mask, stroke: strokeWidth(area, perimeter(mask)) };
}

/** Return the mean width of strokes from their area and perimeter. */
function strokeWidth(area, length) {
  const half = length / 2;
  return (half - Math.sqrt(Math.max(half * half - 4 * area, 0))) / 2 + 1e-3;
}

function signedDistance(mask) {
  const inside = distanceTransform(mask);
  const outside = distanceTransform(new Plane(mask.width, mask.height, mask.data.map((value) => 1 - value)));
  inside.data.forEach((value, place) => (inside.data[place] = value - outside.data[place]));
  return blur(inside, 3, "reflect101");
}

function scaleAndGrow(longSide, stroke) {
  const scale = LONG_SIDE / longSide;
  if (longSide < 2 * stroke) return { scale, grow: 0 }; // a dot or a blob: there is no stroke to widen
  const wanted = Math.min(Math.max(stroke * scale, MIN_STROKE), MAX_STROKE);
  const moved = (LONG_SIDE - wanted) / (longSide - stroke);
  return { scale: moved, grow: (wanted - stroke * moved) / 2 };
}

function draw(distance, scale, grow, centre) {
  const shift = centre.map((place) => MIDDLE - scale * place);
  const field = scaledAndShifted(distance, scale, shift, TILE_SIZE, BEYOND);
  const [steep, level] = [(scale * 255) / EDGE, 127.5 + (grow * 255) / EDGE];
  const grey = (place) => clip(round(field.data[place] * steep + level), 0, 255);
  return new Plane(TILE_SIZE, TILE_SIZE, filled(Uint8Array, TILE_SIZE * TILE_SIZE, grey));
}

function centreOfMass({ width, data }) {
  let [mass, x, y] = [0, 0, 0];
  data.forEach((value, place) => {
    mass += value;
    x += value * (place % width);
    y += value * Math.floor(place / width);
  });
  return [x / mass, y / mass];
}
