/** Pictures of digits that were read wrongly, with what they really are. A twin of reading/live/collecting.py. */

import { round } from "../opencv/planes.js";
import { Box } from "../reading/box.js";
import { numbers, settings } from "../reading/settings.js";
import { zip } from "./zip.js";

const { PAPER, LEAST_SIDE } = numbers.collecting;

/** Return the part of a canvas round a digit, with paper, as a canvas of its own, and the box in it. */
export function withPaper(canvas, box) {
  const margin = round(Math.max(PAPER * box.side, (LEAST_SIDE - Math.min(box.w, box.h)) / 2));
  const around = box.grown(margin).within(new Box(0, 0, canvas.width, canvas.height));
  const part = document.createElement("canvas");
  [part.width, part.height] = [around.w, around.h];
  part.getContext("2d").drawImage(canvas, -around.x, -around.y);
  return { picture: part, inside: [box.x - around.x, box.y - around.y, box.w, box.h] };
}

/** Files of one sitting: <session>/<digit>/<time>-<number>.png, each with a note of how it came about. */
export class Album {
  constructor() {
    this.session = `taught-${day(new Date())}`; // sessions of such a name always train: data/splits.py
    this.kept = [];
  }

  /**
   * Keep a picture.
   * @param subject picture (canvas), inside (box in it), size of the frame, thought (the digit as it was read), source.
   */
  async keep({ picture, inside, size, thought, source }, label) {
    const time = new Date();
    const blob = await new Promise((resolve) => picture.toBlob(resolve, "image/png"));
    const note = {
      label, box: inside, frame_size: size, source, frame: 0, time: `${day(time)}T${clock(time, ":")}`,
      model: settings.model.name, thought: thoughtOf(thought),
    };
    const number = String(this.kept.length + 1).padStart(2, "0");
    const name = `${this.session}/${label}/${clock(time, "")}-${number}`;
    this.kept.push([
      { name: `${name}.json`, time, bytes: new TextEncoder().encode(JSON.stringify(note, null, 1)) },
      { name: `${name}.png`, time, bytes: new Uint8Array(await blob.arrayBuffer()) },
    ]);
  }

  undo() {
    this.kept.pop();
  }

  get file() {
    return `${this.session}.zip`;
  }

  zip() {
    return zip(this.kept.flat());
  }
}

function thoughtOf({ digit, confidence, probabilities }) {
  const rounded = (value, places) => Number(value.toFixed(places));
  return { digit, confidence: rounded(confidence, 4), probabilities: probabilities.map((share) => rounded(share, 5)) };
}

const two = (number) => String(number).padStart(2, "0");
const day = (time) => [time.getFullYear(), two(time.getMonth() + 1), two(time.getDate())].join("-");
const clock = (time, between) => [time.getHours(), time.getMinutes(), time.getSeconds()].map(two).join(between);
