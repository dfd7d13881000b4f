/** Beside the picture: the winner, the tile that the network saw, ten bars, the text of the page, the speed. */

import { clip } from "../opencv/planes.js";
import { settings } from "../reading/settings.js";
import { say } from "./words.js";

const SEEN = 0.005; // shares below this get no bar
const ANNOUNCED_MS = 1000; // a screen reader is told no more often

/** Return a probability in words that never claim certainty: at most 99.9 %. */
export function percent(share) {
  return `${Math.min(100 * share, 99.9).toFixed(1)} %`;
}

export class Panel {
  constructor() {
    const find = (id) => document.getElementById(id);
    Object.assign(this, { winner: find("winner"), confidence: find("confidence"), text: find("text"), copy: find("copy") });
    Object.assign(this, { speed: find("speed"), announcement: find("announcement"), bars: find("bars") });
    this.tile = find("tile").getContext("2d");
    for (let digit = 0; digit < 10; digit++) this.bars.append(newBar(digit));
    this.announced = { text: null, time: 0 };
    this.copy.addEventListener("click", () => this.copyText());
    this.show(null, 0);
  }

  /** Show a reading, or that there is none. @param fps readings a second, 0 for a picture. */
  show(reading, fps) {
    const main = reading?.main ?? null;
    const digit = main === null ? null : reading.digits[main];
    this.winner.textContent = digit ? digit.digit : "–";
    this.winner.classList.toggle("read", Boolean(digit));
    this.confidence.textContent = digit ? percent(digit.confidence) : "";
    this.showTile(digit);
    [...this.bars.children].forEach((bar, value) => showBar(bar, digit, value));
    const text = reading ? textOf(reading) : "";
    if (this.text.textContent !== text) this.text.textContent = text;
    this.copy.disabled = !text;
    const pace = fps ? `${fps.toFixed(0)} ${say("fps")} · ` : "";
    const time = reading ? `${pace}${reading.latency_ms.total.toFixed(1)} ms · ` : "";
    const doubt = settings.model.verified ? "" : ` · ${say("unverified")}`;
    this.speed.textContent = `${time}${settings.model.name}, ${settings.model.format}${doubt}`;
    this.announce(reading && (text || say("none read")));
  }

  showTile(digit) {
    const image = this.tile.createImageData(96, 96);
    for (let place = 0; place < 96 * 96; place++) image.data.fill(digit ? digit.tile[place] : 0, 4 * place, 4 * place + 3);
    for (let place = 3; place < image.data.length; place += 4) image.data[place] = 255;
    this.tile.putImageData(image, 0, 0);
  }

  announce(text) {
    const now = performance.now();
    if (text === this.announced.text || now - this.announced.time < ANNOUNCED_MS) return;
    this.announced = { text, time: now };
    this.announcement.textContent = text ?? "";
  }

  async copyText() {
    let copied = true;
    try {
      await navigator.clipboard.writeText(this.text.textContent);
    } catch {
      getSelection().selectAllChildren(this.text); // where there is no clipboard, as on http pages
      copied = document.execCommand("copy");
    }
    this.copy.textContent = say(copied ? "copied" : "copy failed");
    setTimeout(() => (this.copy.textContent = say("copy")), 1500);
  }
}

/** Return what is written, a line a row, with spaces between the numbers of a row. */
export function textOf({ rows, digits }) {
  const number = (indices) => indices.map((index) => digits[index].digit).join("");
  return rows.map((row) => row.map(number).join(" ")).join("\n");
}

function newBar(digit) {
  const item = document.createElement("li");
  item.innerHTML = `<span>${digit}</span><span class="bar" aria-hidden="true"><i></i></span><span class="share"></span>`;
  return item;
}

function showBar(item, digit, value) {
  const share = digit ? clip(digit.probabilities[value], 0, 1) : 0;
  item.classList.toggle("wins", digit?.digit === value);
  item.querySelector("i").style.width = share >= SEEN ? `${Math.max(1, 100 * share)}%` : "0";
  item.querySelector(".share").textContent = digit ? percent(share) : "";
}
