/** Whether what was found is a digit at all. A twin of reading/finding/score.py. */

import { clip } from "../opencv/planes.js";
import { numbers, settings } from "./settings.js";

const { MOST } = numbers.score;

/** Return the features of a digit: probabilities as log odds, sizes in octaves from 80 px, blur from 4 px. */
export function features(found, confidence, cutOff) {
  const size = Math.log2(found.size / 80);
  const blur = Math.log2(found.blur / 4);
  const odds = [found.centre, found.other, found.sure, confidence].map(logOdds);
  return [1, ...odds, size, size ** 2, blur, Math.max(blur - size, 0), Number(found.whole), Number(cutOff)];
}

/** Return how probably something is a digit, 0 to 1. */
export function score(values) {
  const sum = values.reduce((total, value, index) => total + value * settings.score[index], 0);
  return 1 / (1 + Math.exp(-clip(sum, -30, 30)));
}

function logOdds(share) {
  const inside = clip(share, 1e-6, 1 - 1e-6);
  return clip(Math.log(inside / (1 - inside)), -MOST, MOST);
}
