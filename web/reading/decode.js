/** From the finder's maps to digits: centres, and the ink that belongs to them. A twin of reading/finding/decode.py. */

import { connectedComponents } from "../opencv/components.js";
import { blur } from "../opencv/filters.js";
import { Plane, argmax, boundingBox, clip, filled, meanOfHighest, round, stepsOf } from "../opencv/planes.js";
import { Box } from "./box.js";
import { FINE, PLANES, STRIDE } from "./looks.js";
import { numbers } from "./settings.js";

const { UNIT, SHARPEST } = numbers.decode;

/**
 * Return what may be a digit in a frame's looks, see Found in decode.py: box, ink, centre, other, size, sure, blur.
 * @param rules the numbers of Decoding in decode.py.
 */
export function decode(looks, rules) {
  const found = looks.flatMap((look) => digitsOf(look, rules));
  const worth = (digit) => digit.centre * fit(digit.size, rules.best_size);
  found.sort((one, other) => worth(other) - worth(one));
  const kept = [];
  for (const digit of found) {
    const same = kept.find((other) => digit.box.overlap(other.box) >= rules.same);
    if (same) same.centre = Math.max(digit.centre, same.centre); // a second look is a second witness
    else kept.push(digit);
  }
  return kept;
}

function fit(size, best) {
  return Math.exp(-0.5 * (Math.log2(size / best) / 1.5) ** 2);
}

function digitsOf(look, rules) {
  const centres = centresOf(look, rules);
  if (!centres.length) return [];
  const owner = owners(look, centres, rules);
  const places = boxesOf(owner, centres.length);
  return centres.map((centre, number) => digitOf(look, owner, number, centre, places[number], rules)).filter(Boolean);
}

/** Return row, column and size in pixels of every hilltop of digits' centres that is no larger than this look shows. */
function centresOf(look, rules) {
  const { width } = look.maps;
  const centres = look.hilltops(0, rules.centre).map((place) => {
    const [row, column] = [Math.floor(place / width), place % width];
    return { row, column, size: UNIT * 2 ** clip(look.at(row, column, 2), -3, 5) };
  });
  return centres.filter(({ size }) => size < rules.largest);
}

/** Return for each place 1 + the number of the centre that its ink belongs to, 0 for none. */
function owners(look, centres, rules) {
  const { width, height } = look.maps;
  const owner = new Plane(width, height, new Int32Array(width * height));
  const places = inkyPlaces(look, rules.ink);
  if (!places.length) return owner;
  const mask = new Plane(width, height);
  for (const place of places) mask.data[place] = 1;
  const { count, numbers: strokes } = connectedComponents(mask);
  const votes = Array.from({ length: count }, () => new Int32Array(centres.length));
  const goals = places.map((place) => nearestCentre(look, place, centres));
  goals.forEach(({ nearest, away }, index) => away < rules.reach && votes[strokes[places[index]]][nearest]++);
  // Ink whose way ends far from any centre goes where the rest of its stroke goes, if that goes anywhere.
  const leaders = votes.map(argmax);
  goals.forEach(({ nearest, away }, index) => {
    const place = places[index];
    const vote = votes[strokes[place]];
    if (!vote[leaders[strokes[place]]]) return;
    owner.data[place] = 1 + (away < rules.reach || vote[nearest] ? nearest : leaders[strokes[place]]);
  });
  return owner;
}

function inkyPlaces({ maps }, least) {
  const places = [];
  for (let place = 0; place < maps.width * maps.height; place++) {
    for (let plane = 5; plane < PLANES; plane++) {
      if (maps.data[place * PLANES + plane] > least) {
        places.push(place);
        break;
      }
    }
  }
  return places;
}

/** Return the centre nearest to where a place's way ends, and how far it is off in sizes of that digit. */
function nearestCentre({ maps }, place, centres) {
  const [across, down] = [3, 4].map((plane) => maps.data[place * PLANES + plane] * (UNIT / STRIDE));
  const [x, y] = [(place % maps.width) + across, Math.floor(place / maps.width) + down];
  let [nearest, away] = [0, Infinity];
  centres.forEach(({ row, column, size }, number) => {
    const distance = Math.fround(Math.hypot(x - column, y - row) / (size / STRIDE));
    if (distance < away) [nearest, away] = [number, distance];
  });
  return { nearest, away };
}

/** Return the box round each centre's ink, null where it has none. */
function boxesOf({ width, height, data }, count) {
  const boxes = new Array(count).fill(null);
  for (let y = 0, place = 0; y < height; y++) {
    for (let x = 0; x < width; x++, place++) {
      if (!data[place]) continue;
      const box = (boxes[data[place] - 1] ??= { left: x, top: y, right: x, bottom: y });
      box.left = Math.min(box.left, x);
      box.right = Math.max(box.right, x);
      box.bottom = y;
    }
  }
  return boxes.map((box) => box && { x: box.left, y: box.top, w: box.right - box.left + 1, h: box.bottom - box.top + 1 });
}

function digitOf(look, owner, number, centre, places, rules) {
  if (!places) return null;
  const share = look.ink(places);
  for (let place = 0; place < share.data.length; place++) share.data[place] = shareOf(share.data[place]);
  const fine = { x: places.x * FINE, y: places.y * FINE, w: places.w * FINE, h: places.h * FINE };
  const grey = look.grey.crop(fine);
  const ink = drawn(grey, share, enlarged(owner.crop(places), number + 1), rules);
  const solid = new Plane(ink.width, ink.height, ink.data.map((value) => value > rules.solid));
  const inside = boundingBox(solid);
  if (!inside) return null;
  const perPixel = 1 / look.scale;
  const corner = [fine.x + inside.x + look.left, fine.y + inside.y + look.top].map((side) => round(side * perPixel));
  const sides = [inside.w, inside.h].map((side) => Math.max(1, round(side * perPixel)));
  return {
    box: new Box(...corner, ...sides),
    ink: ink.crop(inside),
    centre: shareOf(look.at(centre.row, centre.column, 0)),
    other: shareOf(look.at(centre.row, centre.column, 1)),
    size: centre.size,
    sure: meanWhere(share, solid),
    blur: blurOf(grey, inside),
  };
}

/** Return the pixels that the sharpest edges in a box of a look go over, across or up and down: where it is more. */
function blurOf(grey, { x, y, w, h }) {
  const [left, top] = [Math.max(0, x - 2), Math.max(0, y - 2)];
  const part = grey.crop({ x: left, y: top, w: x + w + 2 - left, h: y + h + 2 - top });
  const contrast = part.max() - part.data.reduce((least, value) => Math.min(least, value), 255);
  const sharpest = Math.min(...stepsOf(part).map((steps) => meanOfHighest(steps, SHARPEST)));
  return Math.max(contrast, 1) / Math.max(sharpest, 1);
}

/** Return where the places of one owner are, FINE times finer. */
function enlarged(owner, number) {
  const fine = new Plane(owner.width * FINE, owner.height * FINE);
  for (let row = 0, place = 0; row < fine.height; row++) {
    const start = Math.floor(row / FINE) * owner.width;
    for (let column = 0; column < owner.width; column++) {
      const own = owner.data[start + column] === number ? 1 : 0;
      for (let step = 0; step < FINE; step++) fine.data[place++] = own;
    }
  }
  return fine;
}

function meanWhere({ data }, mask) {
  let [sum, count] = [0, 0];
  data.forEach((value, place) => mask.data[place] && ((sum += value), count++));
  return sum / count;
}

/** Return the ink: where the network sees a stroke the picture's own grey says how much of one. */
function drawn(grey, share, own, rules) {
  const { width, height } = share;
  const pixels = (value) => new Plane(width, height, filled(Uint8Array, width * height, value));
  const plain = () => pixels((place) => 255 * share.data[place] * own.data[place]);
  const paper = pixels((place) => share.data[place] < rules.paper);
  const side = Math.max(3, Math.min(width, height) | 1);
  const around = blur(paper, side, "reflect").data;
  if (around.some((value) => value < rules.scarce)) return plain();
  const tone = blur(pixels((place) => grey.data[place] * paper.data[place]), side, "reflect").data;
  const contrast = filled(Float32Array, width * height, (place) => grey.data[place] - tone[place] / around[place]);
  const strength = strengthOf(contrast, share.data, own.data);
  if (Math.abs(strength) < rules.faintest) return plain();
  const strokes = strokesOf(own, share, rules);
  const factor = Math.fround(255 / strength);
  return pixels((place) => (strokes[place] ? clip(Math.fround(contrast[place] * factor), 0, 255) : 0));
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
  let highest = 0;
  share.data.forEach((value, place) => own.data[place] && (highest = Math.max(highest, value)));
  const maybe = new Plane(own.width, own.height, own.data.map((mine, place) => mine && share.data[place] > rules.maybe));
  const { count, numbers: pieces } = connectedComponents(maybe);
  const sure = new Uint8Array(count);
  maybe.data.forEach((may, place) => may && share.data[place] > rules.sure * highest && (sure[pieces[place]] = 1));
  return maybe.data.map((may, place) => may && sure[pieces[place]]);
}

function shareOf(logit) {
  return 1 / (1 + Math.exp(-logit));
}
