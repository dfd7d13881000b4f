/** The tab to draw in: what is drawn is read while it grows. */

import { greyOf } from "../opencv/planes.js";
import { Pad } from "./pad.js";

const find = (id) => document.getElementById(id);

export class DrawTab {
  constructor(page) {
    this.page = page;
    this.pad = new Pad(page.view.canvas, () => this.changed());
    this.active = this.reading = this.again = false;
    find("draw-undo").addEventListener("click", () => this.pad.undo());
    find("draw-clear").addEventListener("click", () => this.pad.clear());
  }

  enter() {
    this.active = true;
    this.page.view.view.classList.add("drawing");
    this.pad.activate(true);
    this.page.view.fit(this.pad.canvas.width, this.pad.canvas.height);
  }

  leave() {
    this.active = false;
    this.page.view.view.classList.remove("drawing");
    this.pad.activate(false);
  }

  /** Read the sheet; what is drawn meanwhile is read afterwards. */
  async changed() {
    if (!this.active) return;
    this.again = true;
    if (this.reading) return;
    this.reading = true;
    try {
      while (this.again && this.active) await this.read();
    } catch (error) {
      this.page.fail(error);
    } finally {
      this.reading = false;
    }
  }

  async read() {
    this.again = false;
    if (!this.pad.strokes.length) {
      this.page.show(null, null, 0, "draw here");
      return;
    }
    const { width, height } = this.pad.canvas;
    const { data } = this.pad.canvas.getContext("2d").getImageData(0, 0, width, height);
    await this.page.ready;
    const reading = await this.page.worker.still(greyOf(data, width, height));
    if (this.active && this.pad.strokes.length) this.page.show(reading, null, 0, "no digit");
  }
}
