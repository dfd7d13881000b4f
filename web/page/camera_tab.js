/** The camera's tab: its buttons, the choice of a camera, and the loop that reads frame after frame. */

import { Camera } from "./camera.js";
import { say } from "./words.js";

const FPS_MEMORY = 0.9;
const find = (id) => document.getElementById(id);

export class CameraTab {
  /** @param page what the tabs share: worker, view, show, hint, fail. */
  constructor(page) {
    this.page = page;
    this.camera = new Camera(find("video"), () => this.lost());
    this.choice = find("camera-choice");
    find("camera-start").addEventListener("click", () => this.start());
    find("camera-stop").addEventListener("click", () => this.stop());
    this.choice.addEventListener("change", () => this.camera.running && this.start());
    find("camera-mirror").addEventListener("change", ({ target }) => page.view.mirror(target.checked));
    navigator.mediaDevices?.addEventListener?.("devicechange", () => this.listCameras());
    this.loops = 0; // only the loop of the newest start goes on
    this.sentence = null;
  }

  enter() {
    this.page.view.mirror(find("camera-mirror").checked);
    this.listCameras();
    this.page.blank();
    this.page.hint("camera off");
  }

  leave() {
    this.halt();
    this.page.view.mirror(false);
  }

  stop() {
    this.halt();
    this.enter();
  }

  lost() {
    this.stop();
    this.page.hint("camera lost", { warning: true });
  }

  halt() {
    this.loops++;
    this.camera.stop();
    this.running(false);
  }

  running(on) {
    find("camera-start").hidden = on;
    find("camera-stop").hidden = !on;
  }

  async start() {
    this.halt();
    const loop = this.loops;
    try {
      this.page.hint("starting");
      await this.camera.start(this.choice.value);
      await this.page.ready;
    } catch (trouble) {
      if (loop === this.loops) this.page.fail(trouble);
      return;
    }
    if (loop !== this.loops) return; // another tab meanwhile: nothing must go on filming
    this.running(true);
    await this.listCameras();
    await this.read(loop);
  }

  async read(loop) {
    let [first, fps, before] = [true, 0, performance.now()];
    while (loop === this.loops) {
      const image = await this.camera.frame();
      if (!image) continue;
      try {
        const reading = await this.page.worker.frame(image, first);
        if (loop !== this.loops) return;
        const now = performance.now();
        const pace = 1000 / Math.max(1, now - before);
        fps = first ? 0 : FPS_MEMORY * (fps || pace) + (1 - FPS_MEMORY) * pace;
        [before, first] = [now, false];
        this.page.show(reading, image, fps, "show");
      } catch (error) {
        this.stop();
        this.page.fail(error);
      }
    }
  }

  /** Offer the cameras there are; front and back where the device is held in the hand. */
  async listCameras() {
    const cameras = await this.camera.list();
    const chosen = this.choice.value;
    const sides = navigator.maxTouchPoints ? [["environment", say("back")], ["user", say("front")]] : [["", say("any camera")]];
    const named = cameras.filter(({ label }) => label).map(({ id, label }) => [id, label]);
    this.choice.replaceChildren(...[...sides, ...named].map(([value, label]) => new Option(label, value)));
    this.choice.value = [...this.choice.options].some(({ value }) => value === chosen) ? chosen : sides[0][0];
  }
}
