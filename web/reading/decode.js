/** From the finder's maps to digits: centres, and the ink that belongs to them. A twin of reading/finding/decode.py. */

import { connectedComponents } from "../opencv/components.js";
import { dilate } from "../opencv/filters.js";
import { Plane, argmax, boundingBox, clip, round } from "../opencv/planes.js";
import { Box } from "./box.js";
import { asInk, blurOf, contrastOf, differ, drawnInk, surePieces } from "./ink.js";
import { FINE, PLANES, STRIDE } from "./looks.js";
import { numbers } from "./settings.js";

const { UNIT, ALIKE, CLOSE } = numbers.decode;

/**
 * Return what may be a digit in a frame's looks, as Found in decode.py has it: box, ink, centre, other, size, sure,
 * blur, whole.
 * @param rules the numbers of Decoding in decoding.py.
 */
export function decode(looks, rules) {
  const centres = looks.flatMap((look) => centresOf(look, rules));
  const worth = (centre) => centre.probability * fit(centre.size, rules.best_size);
  centres.sort((one, other) => worth(other) - worth(one));
  const kept = [];
  const drawn = [];
  for (const centre of centres) {
    let known = drawn.find(([other]) => same(centre, other))?.[1];
    if (!known) {
      known = inksOf(centre, rules).map((digit) => placeOf(digit, kept, rules));
      if (known.length) drawn.push([centre, known]);
    }
    // A second look is a second witness.
    for (const place of known) kept[place].centre = Math.max(kept[place].centre, centre.probability);
  }
  return kept;
}

/** Return whether two looks' centres surely are those of the same digit. */
function same(one, other) {
  const [small, large] = [one.trueSize, other.trueSize].sort((a, b) => a - b);
  const close = CLOSE * small;
  const [across, down] = [Math.abs(one.x - other.x), Math.abs(one.y - other.y)];
  return across < close && down < close && large < ALIKE * small && one.look !== other.look;
}

/** Return the place of a digit among those kept, where it is added if it is new. */
function placeOf(digit, kept, { same: least }) {
  const alike = (other) => digit.whole === other.whole && digit.box.overlap(other.box) >= least;
  const place = kept.findIndex(alike);
  return place < 0 ? kept.push(digit) - 1 : place;
}

function fit(size, best) {
  return Math.exp(-0.5 * (Math.log2(size / best) / 1.5) ** 2);
}

/** Return every hilltop of digits' centres that is no larger than this look shows: see _Centre in decode.py. */
function centresOf(look, rules) {
  const { width } = look.maps;
  const hilltops = look.hilltops(0, rules.centre).map((place) => {
    const [row, column] = [Math.floor(place / width), place % width];
    return { row, column, size: UNIT * 2 ** clip(look.at(row, column, 2), -3, 5) };
  });
  const centres = hilltops.filter(({ size }) => size < rules.largest);
  if (!centres.length) return [];
  const owner = owners(look, centres, rules);
  const boxes = boxesOf(owner, centres.length);
  return centres.map((centre, number) => ({
    ...centre,
    look,
    owner,
    number,
    box: boxes[number],
    probability: shareOf(look.at(centre.row, centre.column, 0)),
    x: ((centre.column + 0.5) * STRIDE + look.left) / look.scale,
    y: ((centre.row + 0.5) * STRIDE + look.top) / look.scale,
    trueSize: centre.size / look.scale,
  }));
}

/** Return a centre's digit by its ink and, where that is weak and they differ, by the strokes that it lies on. */
function inksOf(centre, rules) {
  const digit = digitOf(centre, rules);
  const whole = digit && digit.sure >= rules.weak ? null : wholeOf(centre, digit, rules);
  return [digit, whole].filter(Boolean);
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

function digitOf(centre, rules) {
  const { look, owner, number, box: places } = centre;
  if (!places) return null;
  const share = inkOf(look, places);
  const mine = enlarged(owner.crop(places), (one) => one === number + 1);
  return foundIn(centre, places, share, drawnInk(look.grey.crop(finer(places)), share, mine, rules), rules);
}

/**
 * Return a digit whose ink is weak as the strokes that this ink lies on, as far as the picture's grey goes; null where
 * that is hardly more or less ink than the digit has.
 */
function wholeOf(centre, digit, rules) {
  const { look, owner, number } = centre;
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
  if (digit && !differ(digit.ink, ink)) return null;
  const found = foundIn(centre, places, share, ink, rules);
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

function foundIn(centre, places, share, ink, rules) {
  const { look } = centre;
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
    centre: centre.probability,
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

function shareOf(logit) {
  return 1 / (1 + Math.exp(-logit));
}
