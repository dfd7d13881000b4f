/** Pictures of one channel, and what OpenCV and NumPy do with them. A twin of the array: width, height, data by rows. */

export class Plane {
  /** @param data one value a pixel, row by row; made anew where none is given. */
  constructor(width, height, data = new Uint8Array(width * height)) {
    this.width = width;
    this.height = height;
    this.data = data;
  }

  static floats(width, height) {
    return new Plane(width, height, new Float32Array(width * height));
  }

  /** Return a copy of what lies in a box; of a box that reaches beyond the picture, what lies inside. */
  crop({ x, y, w, h }) {
    const [width, height] = [Math.min(w, this.width - x), Math.min(h, this.height - y)];
    const part = new Plane(width, height, new this.data.constructor(width * height));
    for (let row = 0; row < height; row++) {
      const start = (y + row) * this.width + x;
      part.data.set(this.data.subarray(start, start + width), row * width);
    }
    return part;
  }

  /** Return the picture with a margin of zeros. */
  padded(margin) {
    const [width, height] = [this.width + 2 * margin, this.height + 2 * margin];
    const wide = new Plane(width, height, new this.data.constructor(width * height));
    wide.paste(this, margin, margin);
    return wide;
  }

  /** Lay another picture into this one, as far as it fits. */
  paste(other, x, y) {
    const width = Math.min(other.width, this.width - x);
    for (let row = 0; row < Math.min(other.height, this.height - y); row++) {
      this.data.set(other.data.subarray(row * other.width, row * other.width + width), (y + row) * this.width + x);
    }
  }

  max() {
    let most = 0;
    for (const value of this.data) if (value > most) most = value;
    return most;
  }
}

/** Return an array whose values a function makes of their places; quicker than `Type.from`. */
export function filled(Type, length, value) {
  const data = new Type(length);
  for (let place = 0; place < length; place++) data[place] = value(place);
  return data;
}

/** Return the box round all pixels that are not 0, or null where there are none: cv2.boundingRect. */
export function boundingBox({ width, height, data }) {
  let [left, top, right, bottom] = [width, height, -1, -1];
  for (let y = 0, place = 0; y < height; y++) {
    for (let x = 0; x < width; x++, place++) {
      if (!data[place]) continue;
      if (x < left) left = x;
      if (x > right) right = x;
      if (y < top) top = y;
      bottom = y;
    }
  }
  return right < 0 ? null : { x: left, y: top, w: right - left + 1, h: bottom - top + 1 };
}

/** Return grey from pixels of red, green, blue and opacity, as cv2.cvtColor counts: in 1/32768. */
export function greyOf(pixels, width, height, grey = new Plane(width, height), from = 0) {
  const { data } = grey;
  for (let place = 0, at = from; place < 4 * width * height; place += 4, at++) {
    data[at] = (9798 * pixels[place] + 19235 * pixels[place + 1] + 3735 * pixels[place + 2] + 16384) >> 15;
  }
  return grey;
}

/** Return how much a picture changes from pixel to pixel, across and up and down: numpy.abs(numpy.diff). */
export function stepsOf({ width, height, data }) {
  const across = new Uint8Array((width - 1) * height);
  for (let y = 0, place = 0; y < height; y++) {
    for (let at = y * width + 1; at < (y + 1) * width; at++) across[place++] = Math.abs(data[at] - data[at - 1]);
  }
  const down = filled(Uint8Array, width * (height - 1), (place) => Math.abs(data[place + width] - data[place]));
  return [across, down];
}

/** Return the mean of the `count` highest of some bytes, of all where there are fewer; 0 of none. */
export function meanOfHighest(bytes, count) {
  const highest = bytes.slice().sort().slice(-count);
  return highest.length ? highest.reduce((sum, value) => sum + value, 0) / highest.length : 0;
}

/** Round halves to the even number, as Python and OpenCV do. */
export function round(value) {
  const low = Math.floor(value);
  const over = value - low;
  return over < 0.5 || (over === 0.5 && low % 2 === 0) ? low : low + 1;
}

export function clip(value, low, high) {
  return value < low ? low : value > high ? high : value;
}

/** Return a percentile (0 to 100) between sorted neighbours, as numpy.percentile does. */
export function percentile(values, share) {
  const sorted = Float64Array.from(values).sort();
  const place = (share / 100) * (sorted.length - 1);
  const low = Math.floor(place);
  return sorted[low] + (place - low) * (sorted[Math.min(low + 1, sorted.length - 1)] - sorted[low]);
}

export const median = (values) => percentile(values, 50);

/** Return the position of the largest value, the first of several. */
export function argmax(values) {
  let best = 0;
  for (let index = 1; index < values.length; index++) if (values[index] > values[best]) best = index;
  return best;
}
