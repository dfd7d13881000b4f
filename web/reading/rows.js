/** Digits as people write them: lines of numbers. A twin of reading/rows.py. */

import { median, percentile } from "../opencv/planes.js";
import { numbers as settings } from "./settings.js";

const { SAME_LINE, WIDER, LEAST, FARTHEST } = settings.rows;

/** Return the digits of each line, as positions in `boxes`, from left to right; lines from top to bottom. */
export function lines(boxes) {
  const slope = slopeOf(boxes);
  const level = boxes.map((box) => box.centre[1] - slope * box.centre[0]);
  const found = [];
  for (const index of [...boxes.keys()].sort((one, other) => level[one] - level[other])) {
    const near = found.filter((line) => {
      const height = Math.min(boxes[index].h, median(line.map((at) => boxes[at].h)));
      return Math.abs(level[index] - median(line.map((at) => level[at]))) < SAME_LINE * height;
    });
    const fitting = near.filter((line) => line.every((at) => beside(boxes[index], boxes[at])));
    if (fitting.length) fitting.at(-1).push(index);
    else found.push([index]);
  }
  return found.map((line) => line.sort((one, other) => boxes[one].centre[0] - boxes[other].centre[0]));
}

/** Return lines as `lines` does, each cut into its numbers where a gap is wider than the line's others. */
export function numbers(boxes) {
  return lines(boxes).map((line) => cut(line, boxes));
}

function cut(line, boxes) {
  const gaps = line.slice(1).map((right, at) => boxes[right].x - boxes[line[at]].right);
  if (!gaps.length) return [line];
  const tall = median(line.map((index) => boxes[index].h));
  const usual = gaps.length > 2 ? percentile(gaps, 40) : Math.min(...gaps);
  const least = Math.max(LEAST * tall, WIDER * Math.max(usual, 0.2 * tall));
  const parts = [[line[0]]];
  gaps.forEach((gap, at) => {
    if (gap > least) parts.push([]);
    parts.at(-1).push(line[at + 1]);
  });
  return parts;
}

function beside(first, second) {
  const shared = Math.min(first.right, second.right) - Math.max(first.x, second.x);
  return shared < 0.6 * Math.min(first.w, second.w);
}

/** Return how steeply the lines fall to the right: the middle slope between neighbours side by side. */
function slopeOf(boxes) {
  const slopes = [];
  for (const box of boxes) {
    const right = boxes.filter((other) => {
      const [across, down] = [other.centre[0] - box.centre[0], Math.abs(other.centre[1] - box.centre[1])];
      return 0.3 * box.h < across && across < FARTHEST * box.h && down < 0.5 * across && down < 0.8 * box.h;
    });
    if (!right.length) continue;
    const nearest = right.reduce((best, other) => (other.centre[0] < best.centre[0] ? other : best));
    slopes.push((nearest.centre[1] - box.centre[1]) / (nearest.centre[0] - box.centre[0]));
  }
  return slopes.length > 1 ? median(slopes) : 0;
}
