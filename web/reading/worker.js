/** Reads frames beside the page, so that buttons and pictures never wait for the networks. */

import { Plane, greyOf } from "../opencv/planes.js";
import { openNetworks } from "./networks.js";
import { Reader } from "./reader.js";
import { numbers as rowsOf } from "./rows.js";
import { Tracker } from "./tracking.js";

const tracker = new Tracker();
let reader = null;

const tasks = {
  async open(files) {
    reader = new Reader(await openNetworks(files));
  },

  /** A camera's frame, ImageData: voted over the frames before it. `first` begins another source. */
  async frame({ image, first }) {
    if (first) tracker.reset();
    const reading = await reader.read(greyOf(image.data, image.width, image.height));
    return withRows(tracker.update(reading, image));
  },

  /** A picture or a drawing, a plane of grey, by itself. */
  async still({ width, height, data }) {
    return withRows(await reader.read(new Plane(width, height, data)));
  },

  /** The logits of ink of the first look of the picture before: what tests compare. */
  async ink() {
    const [look] = reader.looks;
    return look.ink({ x: 0, y: 0, w: look.maps.width, h: look.maps.height });
  },
};

/** Return a reading with its rows: lists of numbers, lists of positions in `digits`. */
function withRows(reading) {
  return { ...reading, rows: rowsOf(reading.digits.map(({ box }) => box)) };
}

self.onmessage = async ({ data: { id, task, given } }) => {
  try {
    self.postMessage({ id, result: await tasks[task](given) });
  } catch (error) {
    self.postMessage({ id, error: String(error?.message ?? error) });
  }
};
