/** From a frame to the digits written in it. A twin of reading/reader.py. */

import { argmax, percentile } from "../opencv/planes.js";
import { resize } from "../opencv/resize.js";
import { decode } from "./decode.js";
import { lookAt } from "./looks.js";
import { lines } from "./rows.js";
import { features, score } from "./score.js";
import { numbers, settings } from "./settings.js";
import { scaled } from "./temperature.js";
import { normalise } from "./tile.js";

const { PART, WHOLE, EDGE, WORTH, SMALL, DARK, PALE, BLURRED } = numbers.reader;
const LEAST_SCORE = 0.5;

export class Reader {
  /** @param networks `find` and `classify`, of networks.js. */
  constructor({ find, classify }) {
    Object.assign(this, { find, classify });
    this.looks = [];
  }

  /** Promise what is written in a frame, a Plane of grey: see Reading in readings.py. */
  async read(grey) {
    const start = performance.now();
    this.looks = await lookAt(grey, this.find);
    const looked = performance.now();
    const { candidates, predict } = await this.candidates(grey);
    const passed = candidates.filter((candidate) => candidate.score >= LEAST_SCORE);
    const accepted = lines(passed.map(({ found }) => found.box)).flat().map((index) => passed[index]);
    const refused = candidates.filter((candidate) => WORTH < candidate.score && candidate.score < LEAST_SCORE);
    const main = accepted.length ? argmax(accepted.map((one) => one.score * one.found.box.side)) : null;
    const total = performance.now() - start;
    return {
      size: [grey.width, grey.height],
      digits: accepted.map(asDigit),
      rejected: refused.map((candidate) => ({ box: candidate.found.box, reason: reasonOf(candidate) })),
      main,
      hint: accepted.length ? null : hintOf(grey, refused),
      latency_ms: { look: looked - start, find: total - predict, predict, total },
    };
  }

  async candidates(grey) {
    const candidates = [];
    let predict = 0;
    for (const found of decode(this.looks)) {
      const tile = normalise(found.ink);
      const start = performance.now();
      const probabilities = scaled(await this.classify(tile), settings.model.temperature);
      predict += performance.now() - start;
      const cut = cutOff(found.box, grey);
      const confidence = Math.max(...probabilities);
      const likely = score(features(found, confidence, cut));
      candidates.push({ found, tile, probabilities, confidence, cut, score: likely });
    }
    return { candidates: settled(candidates), predict };
  }
}

/** Return the candidates of which none is a part of another: the whole is taken where both are read as well. */
function settled(candidates) {
  const worth = (one) => one.score * one.found.box.side ** WHOLE;
  const kept = [];
  for (const candidate of [...candidates].sort((one, other) => worth(other) - worth(one))) {
    const { box } = candidate.found;
    const apart = ({ found }) => box.shared(found.box) < PART * Math.min(box.area, found.box.area);
    if (kept.every(apart)) kept.push(candidate);
  }
  return kept;
}

function cutOff(box, { width, height }) {
  return box.x < EDGE || box.y < EDGE || box.right > width - EDGE || box.bottom > height - EDGE;
}

function asDigit({ found, tile, probabilities, confidence, score: likely }) {
  return { box: found.box, digit: argmax(probabilities), confidence, probabilities, tile: tile.data, score: likely };
}

function reasonOf({ found, cut }) {
  if (cut) return "cut off";
  if (found.size < SMALL) return "too small";
  return found.other > found.centre ? "not a digit" : "low confidence";
}

/** Return what a person should change in a frame in which nothing is read. */
function hintOf(grey, refused) {
  const small = shrunk(grey);
  const [dark, bright] = [percentile(small.data, 2), percentile(small.data, 98)];
  if (bright < DARK) return "too dark";
  if (!refused.length) return bright - dark < PALE ? "no contrast" : null;
  if (sharpest(grey) < BLURRED) return "blurred";
  const counts = new Map();
  for (const reason of refused.map(reasonOf)) counts.set(reason, (counts.get(reason) ?? 0) + 1);
  const [most] = [...counts].reduce((best, entry) => (entry[1] > best[1] ? entry : best));
  return { "cut off": "cut off", "too small": "too small", "not a digit": "not digits" }[most] ?? null;
}

function shrunk(grey) {
  return resize(grey, 64, 48, grey.width > 64 && grey.height > 48 ? "area" : "linear");
}

/** Return how much the grey changes from pixel to pixel at a frame's sharpest edges. */
function sharpest({ width, height, data }) {
  const count = (width - 1) * height;
  if (!count) return 0;
  const steps = [];
  for (let at = 0; at < count; at += Math.max(1, Math.floor(count / 20000))) {
    const place = Math.floor(at / (width - 1)) * width + (at % (width - 1));
    steps.push(Math.abs(data[place + 1] - data[place]));
  }
  const highest = steps.sort((one, other) => one - other).slice(-20);
  return highest.reduce((sum, step) => sum + step, 0) / highest.length;
}
