/** A sheet to draw on, with mouse, pen or finger. */

const WIDTH = 640, HEIGHT = 480;
const PEN = 13; // pixels: a felt pen on a sheet of that size

export class Pad {
  /** @param canvas to draw on. @param changed called after each change. */
  constructor(canvas, changed) {
    Object.assign(this, { canvas, changed, strokes: [], pointer: null, active: false });
    canvas.addEventListener("pointerdown", (event) => this.down(event));
    canvas.addEventListener("pointermove", (event) => this.move(event));
    for (const end of ["pointerup", "pointercancel"]) canvas.addEventListener(end, (event) => this.up(event));
  }

  /** Show the sheet on the canvas, or leave it to others. */
  activate(active) {
    this.active = active;
    this.pointer = null;
    if (!active) return;
    [this.canvas.width, this.canvas.height] = [WIDTH, HEIGHT];
    this.redraw();
  }

  undo() {
    this.strokes.pop();
    this.redraw();
  }

  clear() {
    this.strokes = [];
    this.redraw();
  }

  down(event) {
    if (!this.active || this.pointer !== null || event.button > 0) return;
    this.pointer = event.pointerId;
    this.canvas.setPointerCapture(event.pointerId);
    this.strokes.push([]);
    this.add(event);
  }

  move(event) {
    if (event.pointerId !== this.pointer) return;
    const events = event.getCoalescedEvents?.() ?? [];
    for (const each of events.length ? events : [event]) this.add(each);
  }

  up(event) {
    if (event.pointerId !== this.pointer) return;
    this.pointer = null;
    this.changed();
  }

  add({ clientX, clientY }) {
    const place = this.canvas.getBoundingClientRect();
    const point = [((clientX - place.left) * WIDTH) / place.width, ((clientY - place.top) * HEIGHT) / place.height];
    const stroke = this.strokes.at(-1);
    this.line(this.pen(), stroke.at(-1) ?? point, point);
    stroke.push(point);
  }

  redraw() {
    const pen = this.pen();
    pen.fillStyle = "white";
    pen.fillRect(0, 0, WIDTH, HEIGHT);
    for (const stroke of this.strokes) stroke.forEach((point, at) => this.line(pen, stroke[Math.max(0, at - 1)], point));
    this.changed();
  }

  pen() {
    return Object.assign(this.canvas.getContext("2d"), { lineWidth: PEN, lineCap: "round", strokeStyle: "#111" });
  }

  line(pen, from, to) {
    pen.beginPath();
    pen.moveTo(...from);
    pen.lineTo(...to);
    pen.stroke();
  }
}
