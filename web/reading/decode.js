/** From the finder's maps to digits: centres, and the ink that belongs to them. A twin of reading/finding/decode.py. */

import { connectedComponents } from "../opencv/components.js";
import { blur, dilate } from "../opencv/filters.js";
import { Plane, argmax, boundingBox, clip, filled, meanOfHighest, round, stepsOf } from "../opencv/planes.js";
import { Box } from "./box.js";
import { FINE, PLANES, STRIDE } from "./looks.js";
import { numbers } from "./settings.js";

const { UNIT, HALF, SHARE, SHARPEST } = numbers.decode;

/**
 * Return what may be a digit in a frame's looks, as Found in decode.py has it: box, ink, centre, other, size, sure,
 * blur, whole.
 * @param rules the numbers of Decoding in decode.py.
 */
export function decode(looks, rules) {
  const found = looks.flatMap((look) => digitsOf(look, rules));
  const worth = (digit) => digit.centre * fit(digit.size, rules.best_size);
  found.sort((one, other) => worth(other) - worth(one));
  const kept = [];
  for (const digit of found) {
    const alike = (other) => digit.whole === other.whole && digit.box.overlap(other.box) >= rules.same;
    const same = kept.find(alike);
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
  const found = [];
  centres.forEach((centre, number) => {
    const digit = digitOf(look, owner, number, centre, places[number], rules);
    if (digit) found.push(digit);
    if (digit && digit.sure >= rules.weak) return;
    const whole = wholeOf(look, owner, number, centre, rules);
    if (whole && (!digit || differ(digit.ink, whole.ink))) found.push(whole);
  });
  return found;
}

/** Return whether two inks of a digit, white on black, hardly have the same area. */
function differ(ink, other) {
  const [area, more] = [ink, other].map(({ data }) => data.reduce((count, value) => count + (value > HALF), 0));
  return Math.abs(area - more) > SHARE * Math.max(area, more);
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
  const share = inkOf(look, places);
  const mine = enlarged(owner.crop(places), (one) => one === number + 1);
  return foundIn(look, places, centre, share, drawn(look.grey.crop(finer(places)), share, mine, rules), rules);
}

/** Return a digit whose ink is weak as the strokes that this ink lies on, as far as the picture's grey goes. */
function wholeOf(look, owner, number, centre, rules) {
  const reach = Math.max(2, round((rules.room * centre.size) / STRIDE));
  const [x, y] = [centre.column, centre.row].map((at) => Math.max(0, at - reach));
  const places = { x, y, w: centre.column + reach + 1 - x, h: centre.row + reach + 1 - y };
  [places.w, places.h] = [Math.min(places.w, owner.width - x), Math.min(places.h, owner.height - y)];
  const near = owner.crop(places);
  const share = inkOf(look, places);
  const free = enlarged(near, (one) => one === 0 || one === number + 1);
  const own = near.data.includes(number + 1) ? number + 1 : 0;
  const mine = enlarged(near, (one) => one === own);
  const contrast = contrastOf(look.grey.crop(finer(places)), share, mine, rules);
  if (!contrast) return null;
  const dark = free.data.map((may, place) => may && contrast[place] > rules.solid);
  const kept = dilate(surePieces(new Plane(share.width, share.height, dark), mine, share, rules), 3).data;
  const ink = asInk(share, (place) => (kept[place] ? contrast[place] : 0));
  const found = foundIn(look, places, centre, share, ink, rules);
  return found && { ...found, whole: true };
}

/** Return how probably each pixel of some places is ink. */
function inkOf(look, places) {
  const share = look.ink(places);
  for (let place = 0; place < share.data.length; place++) share.data[place] = shareOf(share.data[place]);
  return share;
}

/** Return a box of places as one of pixels. */
function finer({ x, y, w, h }) {
  return { x: x * FINE, y: y * FINE, w: w * FINE, h: h * FINE };
}

/** Return a mask of pixels: which belong to places of a wanted owner. */
function enlarged(owner, wanted) {
  const fine = new Plane(owner.width * FINE, owner.height * FINE);
  for (let row = 0, place = 0; row < fine.height; row++) {
    const start = Math.floor(row / FINE) * owner.width;
    for (let column = 0; column < owner.width; column++) {
      const own = wanted(owner.data[start + column]) ? 1 : 0;
      for (let step = 0; step < FINE; step++) fine.data[place++] = own;
    }
  }
  return fine;
}

function foundIn(look, places, centre, share, ink, rules) {
  const solid = new Plane(ink.width, ink.height, ink.data.map((value) => value > rules.solid));
  const inside = boundingBox(solid);
  if (!inside) return null;
  const { x, y } = finer(places);
  const perPixel = 1 / look.scale;
  const corner = [x + inside.x + look.left, y + inside.y + look.top].map((side) => round(side * perPixel));
  const sides = [inside.w, inside.h].map((side) => Math.max(1, round(side * perPixel)));
  return {
    box: new Box(...corner, ...sides),
    ink: ink.crop(inside),
    centre: shareOf(look.at(centre.row, centre.column, 0)),
    other: shareOf(look.at(centre.row, centre.column, 1)),
    size: centre.size,
    sure: meanWhere(share, solid),
    blur: blurOf(look.grey.crop({ x, y, w: inside.x + inside.w + 2, h: inside.y + inside.h + 2 }), inside),
    whole: false,
  };
}

function meanWhere({ data }, mask) {
  let [sum, count] = [0, 0];
  data.forEach((value, place) => mask.data[place] && ((sum += value), count++));
  return sum / count;
}

/** Return the pixels that the sharpest edges in a box of a look go over, across or up and down: where it is more. */
function blurOf(grey, { x, y, w, h }) {
  const [left, top] = [Math.max(0, x - 2), Math.max(0, y - 2)];
  const part = grey.crop({ x: left, y: top, w: x + w + 2 - left, h: y + h + 2 - top });
  const contrast = part.max() - part.data.reduce((least, value) => Math.min(least, value), 255);
  const sharpest = Math.min(...stepsOf(part).map((steps) => meanOfHighest(steps, SHARPEST)));
  return Math.max(contrast, 1) / Math.max(sharpest, 1);
}

/** Return the ink: where the network sees a stroke the picture's own grey says how much of one. */
function drawn(grey, share, own, rules) {
  const contrast = contrastOf(grey, share, own, rules);
  if (!contrast) return asInk(share, (place) => 255 * share.data[place] * own.data[place]);
  const strokes = strokesOf(own, share, rules).data;
  return asInk(share, (place) => (strokes[place] ? contrast[place] : 0));
}

function asInk({ width, height }, value) {
  return new Plane(width, height, filled(Uint8Array, width * height, (place) => clip(value(place), 0, 255)));
}

/** Return how much of a stroke each pixel is by its grey, 255: all of it; null without paper. */
function contrastOf(grey, share, own, rules) {
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
function surePieces(mask, own, share, rules) {
  let highest = 0;
  share.data.forEach((value, place) => own.data[place] && (highest = Math.max(highest, value)));
  const { count, numbers: pieces } = connectedComponents(mask);
  const sure = new Uint8Array(count);
  mask.data.forEach((may, place) => {
    if (may && own.data[place] && share.data[place] > rules.sure * highest) sure[pieces[place]] = 1;
  });
  return new Plane(mask.width, mask.height, mask.data.map((may, place) => may && sure[pieces[place]]));
}

function shareOf(logit) {
  return 1 / (1 + Math.exp(-logit));
}
