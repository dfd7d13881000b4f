/** The page's end of the worker that reads (reading/worker.js): one promise for each task. */

import { Box } from "../reading/box.js";
import { unpacked } from "./unpack.js";

const FILES = ["loader", "runtime", "finder", "model"];

export class ReadingWorker {
  constructor() {
    const parts = ["settings", "worker"].map((id) => document.getElementById(id).textContent);
    const code = new Blob([`self.SETTINGS = ${parts[0]};\n`, parts[1]], { type: "text/javascript" });
    this.worker = new Worker(URL.createObjectURL(code));
    this.waiting = new Map();
    this.count = 0;
    this.worker.onmessage = ({ data }) => this.settle(data);
    this.worker.onerror = (event) => this.fail(event.message ?? "the worker stopped");
  }

  /** Promise that the networks are ready. */
  async open() {
    const files = Object.fromEntries(await Promise.all(FILES.map(async (name) => [name, await unpacked(name)])));
    await this.ask("open", files, Object.values(files).map(({ buffer }) => buffer));
    for (const name of FILES) document.getElementById(name).remove(); // megabytes that are no longer needed
  }

  /** Promise the reading of a camera's frame (ImageData); `first` begins another source. */
  async frame(image, first) {
    return withBoxes(await this.ask("frame", { image, first }));
  }

  /** Promise the reading of a picture, a Plane of grey. */
  async still({ width, height, data }) {
    return withBoxes(await this.ask("still", { width, height, data }));
  }

  ask(task, given, moved = []) {
    const id = this.count++;
    return new Promise((resolve, reject) => {
      this.waiting.set(id, { resolve, reject });
      this.worker.postMessage({ id, task, given }, moved);
    });
  }

  settle({ id, result, error }) {
    const { resolve, reject } = this.waiting.get(id);
    this.waiting.delete(id);
    if (error === undefined) resolve(result);
    else reject(new Error(error));
  }

  fail(message) {
    for (const { reject } of this.waiting.values()) reject(new Error(message));
    this.waiting.clear();
  }
}

/** Return a reading whose boxes are boxes again: what comes from a worker has lost its kind. */
function withBoxes(reading) {
  for (const item of [...reading.digits, ...reading.rejected]) {
    const { x, y, w, h } = item.box;
    item.box = new Box(x, y, w, h);
  }
  return reading;
}
