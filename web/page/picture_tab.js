/** The tab for pictures: dropped, pasted, chosen, or taken with a phone. */

import { loadPicture } from "./pictures.js";
import { Trouble, say } from "./words.js";

const find = (id) => document.getElementById(id);

export class PictureTab {
  /** @param open opens this tab, whichever was open when a picture is dropped or pasted. */
  constructor(page, open) {
    Object.assign(this, { page, open, last: null, count: 0 });
    for (const [button, input] of [["picture-choose", "picture-file"], ["picture-photo", "picture-camera"]]) {
      find(button).addEventListener("click", () => find(input).click());
      find(input).addEventListener("change", ({ target }) => {
        if (target.files.length) this.take([...target.files]);
        target.value = ""; // the same file may be chosen again
      });
    }
    this.listen();
  }

  listen() {
    const { classList } = this.page.view.view;
    addEventListener("dragover", (event) => (event.preventDefault(), classList.add("dropping")));
    addEventListener("dragleave", (event) => event.relatedTarget || classList.remove("dropping"));
    addEventListener("drop", (event) => {
      event.preventDefault();
      classList.remove("dropping");
      this.take([...event.dataTransfer.files]);
    });
    addEventListener("paste", (event) => event.clipboardData?.files.length && this.take([...event.clipboardData.files]));
  }

  enter() {
    if (this.last) this.page.show(this.last.reading, this.last.canvas, 0, "no digit");
    else {
      this.page.blank();
      this.page.hint("choose one");
    }
  }

  leave() {
    this.count++; // what is still being read comes too late
  }

  async take(files) {
    this.open();
    const count = ++this.count;
    this.page.hint("reading");
    try {
      if (!files.length) throw new Trouble("no picture");
      const { grey, canvas } = await loadPicture(files[0]);
      await this.page.ready;
      const reading = await this.page.worker.still(grey);
      this.last = { reading, canvas, name: files[0].name };
      if (count !== this.count) return;
      this.page.show(reading, canvas, 0, "no digit");
      if (files.length > 1) this.page.hint("several", { values: { count: files.length } });
    } catch (error) {
      if (count === this.count) this.page.fail(error instanceof Trouble ? error : new Trouble("not read", { reason: error.message }));
    }
  }
}
