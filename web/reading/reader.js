/** From a frame to the digits written in it. A twin of reading/reader.py. */

import { argmax } from "../opencv/planes.js";
import { Box } from "./box.js";
import { decode } from "./decode.js";
import { SMALL, hintFor } from "./hints.js";
import { lookAt } from "./looks.js";
import { lines } from "./rows.js";
import { features, score } from "./score.js";
import { numbers, settings } from "./settings.js";
import { scaled } from "./temperature.js";
import { normalise } from "./tile.js";

const { PART, WHOLE, EDGE, WORTH, SEEN } = numbers.reader;

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
    const passed = candidates.filter((candidate) => candidate.score >= settings.accept);
    const accepted = lines(passed.map(({ found }) => found.box)).flat().map((index) => passed[index]);
    const refused = candidates
      .filter((candidate) => candidate.score < settings.accept)
      .map((candidate) => ({ ...candidate, reason: reasonOf(candidate, this.looks[0].scale) }));
    const main = accepted.length ? argmax(accepted.map((one) => one.score * one.found.box.side)) : null;
    const told = refused.filter((candidate) => candidate.score > WORTH);
    const rejected = told.map(({ found, reason }) => ({ box: found.box, reason }));
    const seen = refused.filter((candidate) => candidate.score > SEEN);
    const hint = accepted.length ? null : hintFor(grey, this.looks, seen.map((one) => [one.reason, one.score]));
    const total = performance.now() - start;
    return {
      size: [grey.width, grey.height],
      digits: accepted.map(asDigit),
      rejected,
      main,
      hint,
      latency_ms: { look: looked - start, find: total - predict, predict, total },
    };
  }

  async candidates(grey) {
    const candidates = [];
    let predict = 0;
    const frame = new Box(0, 0, grey.width, grey.height);
    for (const seen of decode(this.looks, settings.decoding)) {
      const found = { ...seen, box: seen.box.within(frame) };
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

function reasonOf({ found, cut }, scale) {
  if (cut) return "cut off";
  if (found.box.side * scale < SMALL) return "too small";
  return found.other > found.centre ? "not a digit" : "low confidence";
}
