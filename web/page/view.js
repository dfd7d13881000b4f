/** The picture that is read, with a box round every digit: each is a button that corrects it. */

import { percent } from "./panel.js";
import { say } from "./words.js";

const ROOM_ABOVE = 0.07; // of the height: a label that does not fit above its box is written below

export class View {
  /** @param picked called with a digit whose box was tapped. */
  constructor(picked) {
    this.view = document.getElementById("view");
    this.canvas = document.getElementById("frame");
    this.context = this.canvas.getContext("2d", { willReadFrequently: true }); // a drawing is read from it
    this.boxes = document.getElementById("boxes");
    this.picked = picked;
    this.digits = [];
    // At once where it is touched: a camera's boxes move on before a click is complete.
    this.boxes.addEventListener("pointerdown", (event) => this.pick(event));
    this.boxes.addEventListener("click", (event) => event.detail === 0 && this.pick(event)); // by key
  }

  /** Take the size of what is shown. */
  fit(width, height) {
    this.view.style.setProperty("--ratio", width / height);
  }

  put(image) {
    if (this.canvas.width !== image.width || this.canvas.height !== image.height) {
      [this.canvas.width, this.canvas.height] = [image.width, image.height];
    }
    this.fit(image.width, image.height);
    if (image instanceof ImageData) this.context.putImageData(image, 0, 0);
    else this.context.drawImage(image, 0, 0);
  }

  mirror(on) {
    this.view.classList.toggle("mirrored", on);
    this.mirrored = on;
  }

  /** Draw the boxes of a reading, with the winner in green. */
  show({ digits, main, size }) {
    this.digits = digits;
    while (this.boxes.children.length > digits.length) this.boxes.lastChild.remove();
    while (this.boxes.children.length < digits.length) this.boxes.append(newBox());
    digits.forEach((digit, index) => this.place(this.boxes.children[index], digit, index === main, size));
  }

  place(button, digit, wins, [width, height]) {
    const { box } = digit;
    const left = this.mirrored ? width - box.right : box.x;
    const style = { left: left / width, top: box.y / height, width: box.w / width, height: box.h / height };
    for (const [name, share] of Object.entries(style)) button.style.setProperty(`--${name}`, `${(100 * share).toFixed(3)}%`);
    button.classList.toggle("winner", wins);
    button.classList.toggle("low", style.top < ROOM_ABOVE);
    button.classList.toggle("right", style.left > 0.8);
    const words = wins ? `${digit.digit}  ${percent(digit.confidence)}` : String(digit.digit);
    if (button.firstChild.textContent !== words) button.firstChild.textContent = words;
    button.setAttribute("aria-label", say("box label", { digit: digit.digit, confidence: percent(digit.confidence) }));
  }

  pick(event) {
    const button = event.target.closest(".box");
    if (!button || event.button > 0) return;
    event.preventDefault();
    this.picked(this.digits[[...this.boxes.children].indexOf(button)]);
  }
}

function newBox() {
  const button = document.createElement("button");
  button.className = "box";
  button.append(document.createElement("span"));
  return button;
}
