/** Asks which digit it really is, keeps the answers, and hands them over as a zip. */

import { Album, withPaper } from "./corrections.js";
import { say } from "./words.js";

const find = (id) => document.getElementById(id);

export class CorrectDialog {
  /** @param source says where the picture comes from. */
  constructor(canvas, source) {
    Object.assign(this, { canvas, source, album: new Album(), subject: null, dialog: find("correct") });
    for (let digit = 0; digit < 10; digit++) {
      const button = document.createElement("button");
      button.textContent = digit;
      button.addEventListener("click", () => this.answer(digit));
      find("correct-digits").append(button);
    }
    find("correct-cancel").addEventListener("click", () => this.dialog.close());
    this.dialog.addEventListener("keydown", ({ key }) => /^\d$/.test(key) && this.answer(Number(key)));
    find("corrections-save").addEventListener("click", () => this.save());
    find("corrections-undo").addEventListener("click", () => (this.album.undo(), this.tell()));
  }

  /** Ask about a digit, as it is in the picture now. */
  ask(digit) {
    const { width, height } = this.canvas;
    this.subject = { ...withPaper(this.canvas, digit.box), size: [width, height], thought: digit, source: this.source() };
    const shown = find("correct-picture");
    [shown.width, shown.height] = [this.subject.picture.width, this.subject.picture.height];
    shown.getContext("2d").drawImage(this.subject.picture, 0, 0);
    this.dialog.showModal();
  }

  async answer(label) {
    const { subject } = this;
    this.subject = null;
    this.dialog.close();
    if (!subject) return;
    await this.album.keep(subject, label);
    this.tell();
  }

  tell() {
    const count = this.album.kept.length;
    find("corrected").textContent = count ? say("corrected", { count, file: this.album.file }) : say("tap to correct");
    for (const id of ["corrections-save", "corrections-undo"]) find(id).disabled = !count;
  }

  save() {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(this.album.zip());
    link.download = this.album.file;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
  }
}
