/** The page: one worker that reads, three ways in, and what they share. */

import { greyOf } from "../opencv/planes.js";
import { CameraTab } from "./camera_tab.js";
import { CorrectDialog } from "./correct_dialog.js";
import { DrawTab } from "./draw_tab.js";
import { Panel } from "./panel.js";
import { PictureTab } from "./picture_tab.js";
import { ReadingWorker } from "./reading_worker.js";
import { View } from "./view.js";
import { Trouble, currentLanguage, languages, say, setLanguage } from "./words.js";

const find = (id) => document.getElementById(id);
const TABS = ["camera", "draw", "picture"];

class Page {
  constructor() {
    this.worker = new ReadingWorker();
    this.view = new View((digit) => this.dialog.ask(digit));
    this.panel = new Panel();
    this.dialog = new CorrectDialog(this.view.canvas, () => `page: ${this.tab}`);
    this.tabs = { camera: new CameraTab(this), draw: new DrawTab(this), picture: new PictureTab(this, () => this.open("picture")) };
    this.tab = null;
    this.said = null; // what the hint says, for when the language changes
    this.shown = [null, 0];
    this.listen();
    this.ready = this.start();
  }

  async start() {
    try {
      await this.worker.open();
    } catch (error) {
      this.fail(new Trouble("failed", { reason: error.message }));
      throw error;
    }
  }

  listen() {
    for (const name of TABS) {
      find(`tab-${name}`).addEventListener("click", () => this.open(name));
      find(`tab-${name}`).addEventListener("keydown", (event) => this.turn(event, name));
    }
    find("language").addEventListener("click", () => this.speak(languages.find((code) => code !== currentLanguage())));
    find("theme").addEventListener("click", () => paint(document.documentElement.dataset.theme === "dark" ? "light" : "dark"));
    const dark = matchMedia("(prefers-color-scheme: dark)");
    paint(dark.matches ? "dark" : "light");
    dark.addEventListener("change", () => paint(dark.matches ? "dark" : "light"));
  }

  /** Arrow keys go from tab to tab, as in every list of tabs. */
  turn({ key }, name) {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[key];
    if (!step) return;
    const next = TABS[(TABS.indexOf(name) + step + TABS.length) % TABS.length];
    this.open(next);
    find(`tab-${next}`).focus();
  }

  open(name) {
    if (name === this.tab) return;
    if (this.tab) this.tabs[this.tab].leave();
    this.tab = name;
    for (const each of TABS) {
      find(`tab-${each}`).setAttribute("aria-selected", each === name);
      find(`tab-${each}`).tabIndex = each === name ? 0 : -1;
      find(`controls-${each}`).hidden = each !== name;
    }
    find("controls").setAttribute("aria-labelledby", `tab-${name}`);
    this.tabs[name].enter();
  }

  speak(language) {
    setLanguage(language);
    find("language").textContent = say("other");
    find("language").lang = languages.find((code) => code !== language);
    if (this.said) this.hint(...this.said);
    this.panel.show(...this.shown);
    this.dialog.tell();
    this.tabs.camera.listCameras();
  }

  /**
   * Show a reading, or null for none.
   * @param image ImageData or canvas that was read; null where the canvas itself was. @param otherwise what the hint
   * says where nothing is read and the reading has no hint of its own.
   */
  show(reading, image, fps, otherwise) {
    if (image) this.view.put(image);
    const { width, height } = this.view.canvas;
    this.view.show(reading ?? { digits: [], main: null, size: [width, height] });
    this.shown = [reading, fps];
    this.panel.show(...this.shown);
    const unsteady = reading?.rejected.some(({ reason }) => reason === "unsteady"); // it is in sight
    const unread = reading?.digits.length || unsteady ? null : otherwise;
    this.hint(reading?.hint ?? unread, { warning: Boolean(reading?.hint) });
  }

  blank() {
    const { canvas } = this.view;
    [canvas.width, canvas.height] = [640, 480];
    this.view.fit(canvas.width, canvas.height);
    this.show(null, null, 0, null);
  }

  /** Say something below the picture; nothing for null. */
  hint(key, { warning = false, values = {} } = {}) {
    this.said = [key, { warning, values }];
    const words = key ? say(key, values) : "";
    if (find("hint").textContent !== words) find("hint").textContent = words;
    find("hint").classList.toggle("warning", warning);
  }

  /** Say what went wrong, and go on. */
  fail(error) {
    const trouble = error instanceof Trouble ? error : new Trouble("not read", { reason: error.message });
    this.hint(trouble.key, { warning: true, values: trouble.values });
  }

  /** Promise the reading of a picture that a canvas can draw: for tests, and for the curious at the console. */
  async read(image) {
    const canvas = document.createElement("canvas");
    [canvas.width, canvas.height] = [image.width, image.height];
    const context = canvas.getContext("2d", { willReadFrequently: true });
    context.drawImage(image, 0, 0);
    const { data } = context.getImageData(0, 0, canvas.width, canvas.height);
    return this.worker.still(greyOf(data, canvas.width, canvas.height));
  }
}

function paint(theme) {
  document.documentElement.dataset.theme = theme;
}

find("app").hidden = false;
const page = (window.digits = new Page());
page.speak(currentLanguage());
page.open("camera");
page.hint("loading");
page.ready.then(() => page.said[0] === "loading" && page.hint("camera off"), () => {});
