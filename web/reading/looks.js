/** How the finder network looks at a frame: near, far, farther, and in windows. A twin of reading/finding/looks.py. */

import { dilate } from "../opencv/filters.js";
import { Plane, clip, filled, round } from "../opencv/planes.js";
import { resize } from "../opencv/resize.js";
import { numbers } from "./settings.js";

export const { SIDE, FAR, FARTHER, STRIDE, FINE, STILL, STEP, GAP, LARGEST } = numbers.looks;
export const PLANES = 5 + FINE * FINE;
const HALF_GAP = Math.floor(GAP / 2);

/** What the network says of a frame at one scale: see Look in looks.py. */
class Look {
  constructor(maps, grey, scale, left = 0, top = 0) {
    Object.assign(this, { maps, grey, scale, left, top });
  }

  /** Return one of the values at a place of the maps. */
  at(row, column, plane) {
    return this.maps.data[(row * this.maps.width + column) * PLANES + plane];
  }

  /** Return the logits of ink in a box of places, FINE times finer. */
  ink({ x, y, w, h }) {
    const logits = Plane.floats(w * FINE, h * FINE);
    const { data, width } = this.maps;
    for (let row = 0, place = 0; row < h * FINE; row++) {
      const [start, plane] = [(y + Math.floor(row / FINE)) * width + x, 5 + (row % FINE) * FINE];
      for (let column = 0; column < w; column++) {
        const from = (start + column) * PLANES + plane;
        for (let step = 0; step < FINE; step++) logits.data[place++] = data[from + step];
      }
    }
    return logits;
  }

  /** Return the places where one plane of the maps has a hilltop above a logit, row by row. */
  hilltops(plane, least) {
    const { width, height, data } = this.maps;
    const hill = filled(Float32Array, width * height, (place) => data[place * PLANES + plane]);
    const around = dilate(new Plane(width, height, hill), 3).data;
    const places = [];
    hill.forEach((value, place) => value > least && value >= around[place] && places.push(place));
    return places;
  }
}

/**
 * Return what the network says of a frame.
 * @param grey Plane of the frame.
 * @param network takes float32 (640 * 640) and promises maps, float32 (160 * 160 * 21).
 */
export async function lookAt(grey, network) {
  const looks = await nearAndFar(grey, network);
  return Math.max(grey.width, grey.height) > STILL ? [...looks, ...(await windows(grey, network))] : looks;
}

async function nearAndFar(grey, network) {
  const { width, height } = grey;
  const scale = Math.min((SIDE - GAP) / Math.max(height, width), (SIDE - FAR - GAP) / Math.min(height, width), LARGEST);
  const picture = new Plane(SIDE, SIDE);
  picture.data.fill(sampledMean(grey));
  const wide = width >= height;
  const places = [];
  let [x, y] = [0, 0];
  for (const smaller of FARTHER) {
    const part = resized(grey, scale / smaller);
    put(part, picture, x, y);
    places.push({ x, y, part, scale: scale / smaller });
    if (smaller === 1) [x, y] = wide ? [0, SIDE - FAR] : [SIDE - FAR, 0];
    else [x, y] = wide ? [x + aligned(part.width), y] : [x, y + aligned(part.height)];
  }
  const maps = await answer(picture, network);
  return places.map((place) => cutOut(maps, picture, place.x, place.y, place.part, place.scale));
}

function sampledMean({ width, height, data }) {
  const [down, across] = [Math.max(1, Math.floor(height / 32)), Math.max(1, Math.floor(width / 32))];
  let [sum, count] = [0, 0];
  for (let y = 0; y < height; y += down) {
    for (let x = 0; x < width; x += across, count++) sum += data[y * width + x];
  }
  return Math.floor(sum / count);
}

/** Put a part on the picture with its corner at (x, y), its border drawn on as far as half the gap on all sides. */
function put(part, picture, x, y) {
  const [above, left] = [Math.min(y, HALF_GAP), Math.min(x, HALF_GAP)];
  const beyond = new Plane(left + part.width + HALF_GAP, above + part.height + HALF_GAP);
  for (let row = 0, place = 0; row < beyond.height; row++) {
    const start = clip(row - above, 0, part.height - 1) * part.width;
    for (let column = 0; column < beyond.width; column++) {
      beyond.data[place++] = part.data[start + clip(column - left, 0, part.width - 1)];
    }
  }
  picture.paste(beyond, x - left, y - above);
}

function aligned(length) {
  return Math.ceil((length + GAP) / STRIDE) * STRIDE;
}

async function windows(grey, network) {
  const scale = Math.min((2 * SIDE) / Math.max(grey.width, grey.height), 1);
  const still = resized(grey, scale);
  const looks = [];
  for (const top of starts(still.height)) {
    for (const left of starts(still.width)) {
      const part = still.crop({ x: left, y: top, w: SIDE, h: SIDE });
      const picture = new Plane(SIDE, SIDE);
      picture.data.fill(Math.floor(part.data.reduce((sum, value) => sum + value, 0) / part.data.length));
      picture.paste(part, 0, 0);
      looks.push(cutOut(await answer(picture, network), picture, 0, 0, part, scale, left, top));
    }
  }
  return looks;
}

function starts(length) {
  if (length <= SIDE) return [0];
  const places = [];
  for (let start = 0; start < length - SIDE; start += STEP) places.push(start);
  return [...places, length - SIDE];
}

function resized(grey, scale) {
  const [width, height] = [grey.width, grey.height].map((side) => Math.max(1, round(side * scale)));
  return resize(grey, width, height, scale < 1 ? "area" : "linear");
}

async function answer(picture, network) {
  const data = await network(filled(Float32Array, SIDE * SIDE, (place) => picture.data[place] / 255));
  return { width: SIDE / STRIDE, height: SIDE / STRIDE, data };
}

/** Cut what is said of one part, with its corner at (x, y), out of the maps of all. */
function cutOut(maps, picture, x, y, part, scale, left = 0, top = 0) {
  const box = { x: x / STRIDE, y: y / STRIDE, w: Math.ceil(part.width / STRIDE), h: Math.ceil(part.height / STRIDE) };
  [box.w, box.h] = [Math.min(box.w, maps.width - box.x), Math.min(box.h, maps.height - box.y)];
  const data = new Float32Array(box.w * box.h * PLANES);
  for (let row = 0; row < box.h; row++) {
    const start = ((box.y + row) * maps.width + box.x) * PLANES;
    data.set(maps.data.subarray(start, start + box.w * PLANES), row * box.w * PLANES);
  }
  const grey = picture.crop({ x, y, w: box.w * STRIDE, h: box.h * STRIDE });
  return new Look({ width: box.w, height: box.h, data }, grey, scale, left, top);
}
