/** A box round something in a picture: a twin of digits/box.py. */

export class Box {
  constructor(x, y, w, h) {
    Object.assign(this, { x, y, w, h });
  }

  get right() {
    return this.x + this.w;
  }

  get bottom() {
    return this.y + this.h;
  }

  get side() {
    return Math.max(this.w, this.h);
  }

  get area() {
    return this.w * this.h;
  }

  get centre() {
    return [this.x + this.w / 2, this.y + this.h / 2];
  }

  grown(margin) {
    return new Box(this.x - margin, this.y - margin, this.w + 2 * margin, this.h + 2 * margin);
  }

  within(other) {
    const [left, top] = [Math.max(this.x, other.x), Math.max(this.y, other.y)];
    const [right, bottom] = [Math.min(this.right, other.right), Math.min(this.bottom, other.bottom)];
    return new Box(left, top, Math.max(right - left, 0), Math.max(bottom - top, 0));
  }

  shared(other) {
    return this.within(other).area;
  }

  overlap(other) {
    const both = this.shared(other);
    return both / (this.area + other.area - both);
  }

  distance(other) {
    return Math.max(...this.centre.map((place, axis) => Math.abs(place - other.centre[axis])));
  }
}
