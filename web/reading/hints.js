/** What a person should change where nothing is read. A twin of reading/hints.py. */

import { meanOfHighest, percentile, stepsOf } from "../opencv/planes.js";
import { resize } from "../opencv/resize.js";
import { numbers } from "./settings.js";

export const { SMALL } = numbers.hints;
const { DARK, PALE, BLURRED, TRACE, OTHER, WRITING, STEP, BUSY, UNCLEAR } = numbers.hints;
const HINTS = { "cut off": "cut off", "too small": "too small", "not a digit": "not digits" };

/**
 * Return what a person should change in a frame in which nothing is read; null if there is nothing to read.
 * @param looks what the finder said of the frame, the near look first.
 * @param refused for each thing found, why it is no digit, and its score.
 */
export function hintFor(grey, looks, refused) {
  const small = shrunk(grey);
  const [dark, bright] = [percentile(small.data, 2), percentile(small.data, 98)];
  if (bright < DARK) return "too dark";
  if (!refused.length && bright - dark < PALE) return "no contrast";
  const [across, down] = stepsOf(grey);
  const blurred = Math.min(sharpest(across), sharpest(down)) < BLURRED; // what moves stays sharp along its way
  if (blurred && [0, 1].some((plane) => looks[0].hilltops(plane, TRACE).length)) return "blurred";
  const commonest = commonestOf(refused.map(([reason]) => reason));
  if (commonest in HINTS) return HINTS[commonest];
  const [near, far] = looks.slice(0, 2).map((look) => look.hilltops(1, OTHER).length);
  // The far look sees no writing that is tiny in the near one.
  if (near >= WRITING) return far ? "not digits" : "too small";
  if (across.reduce((count, step) => count + (step > STEP), 0) > BUSY * across.length) return "busy background";
  return refused.some(([, score]) => score > UNCLEAR) ? "unclear" : null;
}

/** As cv2.resize does it with INTER_AREA, which is linear where a picture grows. */
function shrunk(grey) {
  return resize(grey, 64, 48, grey.width >= 64 && grey.height >= 48 ? "area" : "linear");
}

/** Return the reason that is there most often, the first of several. */
function commonestOf(reasons) {
  const times = (reason) => reasons.filter((other) => other === reason).length;
  return reasons.reduce((best, reason) => (times(reason) > times(best) ? reason : best), reasons[0]);
}

/** Return how much the grey changes from pixel to pixel where it changes most. */
function sharpest(steps) {
  const apart = Math.max(1, Math.floor(steps.length / 20000));
  return meanOfHighest(steps.filter((_, place) => place % apart === 0), 20);
}
