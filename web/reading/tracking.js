/** Digits followed from frame to frame, voting with probabilities. A twin of reading/live/tracking.py. */

import { argmax, clip, median, round } from "../opencv/planes.js";
import { Box } from "./box.js";
import { numbers } from "./settings.js";

const {
  MEMORY, LEAD, FIRST_MEMORY, EVIDENCE, LEAST_EVIDENCE, SURE, REPEATED, SAME_FRAME, MISSES, MORE_MISSES, MOST, REACH,
  STEADY_REACH, SHIFT_REACH, SIZE_RATIO, MAIN_FRAMES,
} = numbers.tracking;
const ROUNDING = 1e-3;

/** Turns each frame's own reading into one that remembers the frames before it. */
export class Tracker {
  constructor() {
    this.reset();
  }

  reset() {
    this.tracks = []; // in reading order
    this.thumbnail = null;
    this.main = null;
    this.mainRivalFrames = 0;
  }

  /**
   * Return the reading with voted digits; those seen for the first time wait among the rejected, unsteady.
   * @param frame its pixels as ImageData, by which repeated frames are told from new ones.
   */
  update(reading, frame) {
    const repeated = this.repeats(frame);
    const { digits } = reading;
    const shift = this.tracks.length && digits.length ? sharedShift(this.tracks, digits) : [0, 0];
    const known = match(this.tracks, digits, shift);
    for (const [index, track] of known) vote(track, digits[index], repeated, reading.hint === "blurred");
    const again = new Set(known.values());
    for (const track of this.tracks) if (!again.has(track)) miss(track, shift);
    const seen = digits.map((digit, index) => known.get(index) ?? newTrack(digit));
    this.tracks = withMissing(seen, this.tracks, reading.rejected);
    return this.voted(reading, seen);
  }

  repeats(frame) {
    const before = this.thumbnail;
    this.thumbnail = thumbnailOf(frame);
    if (before?.length !== this.thumbnail.length) return false;
    const change = this.thumbnail.reduce((sum, value, place) => sum + Math.abs(value - before[place]), 0);
    return change / before.length < SAME_FRAME;
  }

  voted(reading, seen) {
    const shown = this.tracks.filter((track) => track.shown);
    const waiting = this.tracks.filter((track) => !track.shown);
    const rejected = reading.rejected.filter((item) => !shown.some((track) => overlap(item.box, track.box)));
    rejected.push(...waiting.map((track) => ({ box: track.box, reason: "unsteady" })));
    const main = shown.indexOf(this.steadyMain(reading.main === null ? null : seen[reading.main], shown));
    return {
      ...reading,
      digits: shown.map(asDigit),
      rejected,
      main: main < 0 ? null : main,
      hint: shown.length ? null : reading.hint,
    };
  }

  /** Keep the highlighted digit until another has been more prominent for some frames. */
  steadyMain(candidate, shown) {
    if (!shown.includes(candidate)) {
      candidate = shown.reduce((best, track) => (!best || track.box.area > best.box.area ? track : best), null);
    }
    const keeps = shown.includes(this.main) && candidate !== this.main;
    this.mainRivalFrames = keeps ? this.mainRivalFrames + 1 : 0;
    if (!keeps || this.mainRivalFrames >= MAIN_FRAMES) [this.main, this.mainRivalFrames] = [candidate, 0];
    return this.main;
  }
}

function thumbnailOf({ width, height, data }) {
  const colours = [];
  for (let y = 0; y < height; y += 8) {
    for (let x = 0; x < width; x += 8) {
      const place = 4 * (y * width + x);
      colours.push(data[place], data[place + 1], data[place + 2]);
    }
  }
  return colours;
}

function newTrack(digit) {
  const { probabilities, box, digit: label } = digit;
  const evidence = evidenceOf(digit);
  return { seen: digit, box, vote: probabilities, told: probabilities, label, evidence, missed: 0, shown: false };
}

/** Return how much one sighting proves: 1 where the network is certain, less where it wavers. */
function evidenceOf({ confidence }) {
  return clip(2 * confidence - 1, LEAST_EVIDENCE, 1);
}

/** Let one sighting count: for what the digit is, and for whether it is there at all. */
function vote(track, digit, repeated, blurred) {
  const moved = digit.box.distance(track.box);
  const keep = (track.shown ? MEMORY : FIRST_MEMORY) ** (repeated ? REPEATED : 1);
  track.vote = track.vote.map((share, label) => keep * share + (1 - keep) * digit.probabilities[label]);
  const leader = argmax(track.vote);
  const steady = moved <= STEADY_REACH * digit.box.side && !blurred;
  if (!track.shown) {
    const agrees = steady && digit.digit === track.label;
    track.evidence = agrees ? track.evidence + (repeated ? REPEATED : evidenceOf(digit)) : evidenceOf(digit);
    track.label = leader;
  } else if (leader !== track.label && track.vote[leader] > track.vote[track.label] + LEAD) {
    track.label = leader;
  }
  if (leader === track.label) track.told = track.vote;
  Object.assign(track, { seen: digit, box: digit.box, missed: 0 });
  track.shown ||= track.evidence >= EVIDENCE - ROUNDING && track.vote[track.label] >= SURE;
}

function miss(track, shift) {
  const { x, y, w, h } = track.box;
  track.box = new Box(round(x + shift[0]), round(y + shift[1]), w, h);
  track.missed += 1;
}

/** Return the tracks seen now and those that may be missing for a moment, each where it stood in reading order. */
function withMissing(seen, before, rejected) {
  const kept = [...seen];
  const shown = before.filter((track) => track.shown);
  const sceneGoesOn = shown.filter((track) => !track.missed).length >= MOST * shown.length;
  before.forEach((track, place) => {
    if (!track.missed || !track.shown) return;
    const inSight = rejected.some((item) => overlap(track.box, item.box));
    const replaced = seen.some((other) => overlap(track.box, other.box));
    if (replaced || track.missed > (inSight || sceneGoesOn ? MORE_MISSES : MISSES)) return;
    const earlier = before.slice(0, place).map((other) => kept.indexOf(other));
    kept.splice(Math.max(-1, ...earlier) + 1, 0, track);
  });
  return kept;
}

function asDigit(track) {
  const { box, label, told } = track;
  return { ...track.seen, box, digit: label, confidence: told[label], probabilities: told };
}

/** Return the [x, y] shift that carries most tracks onto a digit of like size and the same label. */
function sharedShift(tracks, digits) {
  const reaches = [];
  const candidates = [];
  for (const track of tracks) {
    for (const digit of digits) {
      const reach = reachOf(track, digit);
      reaches.push(reach);
      const shift = digit.box.centre.map((place, axis) => place - track.box.centre[axis]);
      if (digit.digit === track.label && largest(shift) < SHIFT_REACH * reach) candidates.push(shift);
    }
  }
  if (!candidates.length) return [0, 0];
  const cell = STEADY_REACH * median(reaches);
  const resting = candidates.filter((shift) => largest(shift) < cell);
  const best = fullestCell(candidates, cell);
  if (best.count <= resting.length + 1) return resting.length ? middle(resting) : [0, 0];
  return middle(candidates.filter((shift) => largest(shift.map((way, axis) => way - best.place[axis] * cell)) < cell));
}

/** Return the cell of a coarse grid in which most shifts lie; of several the first, from left to right. */
function fullestCell(shifts, cell) {
  const cells = new Map();
  for (const shift of shifts) {
    const place = shift.map((way) => round(way / cell));
    const entry = cells.get(String(place)) ?? { place, count: 0 };
    cells.set(String(place), { place, count: entry.count + 1 });
  }
  const order = (one, other) => other.count - one.count || one.place[0] - other.place[0] || one.place[1] - other.place[1];
  return [...cells.values()].sort(order)[0];
}

const largest = (shift) => Math.max(...shift.map(Math.abs));
const middle = (shifts) => [0, 1].map((axis) => median(shifts.map((shift) => shift[axis])));

/** Return the tracks seen again by the index of their digit: the nearest pairs first, each used once. */
function match(tracks, digits, shift) {
  const pairs = [];
  for (const track of tracks) {
    digits.forEach((digit, index) => {
      const away = digit.box.centre.map((place, axis) => Math.abs(place - track.box.centre[axis] - shift[axis]));
      const [distance, reach] = [Math.max(...away), reachOf(track, digit)];
      const ratio = digit.box.side / track.box.side;
      const fits = distance < REACH * reach && ratio < SIZE_RATIO && ratio > 1 / SIZE_RATIO;
      if (fits) pairs.push({ track, index, cost: distance / reach });
    });
  }
  const known = new Map();
  const used = new Set();
  for (const { track, index } of pairs.sort((one, other) => one.cost - other.cost)) {
    if (known.has(index) || used.has(track)) continue;
    known.set(index, track);
    used.add(track);
  }
  return known;
}

/** Return the longer side of a pair's larger box, in pixels. */
function reachOf(track, digit) {
  return Math.max(track.box.side, digit.box.side, 1);
}

function overlap(first, second) {
  return first.shared(second) > 0.2 * Math.min(first.area, second.area);
}
