/** Pictures that a person gives: a file becomes grey pixels, and a canvas to look at. A twin of reading/images.py. */

import { blur } from "../opencv/filters.js";
import { Plane, greyOf, round } from "../opencv/planes.js";
import { resize } from "../opencv/resize.js";
import { numbers } from "../reading/settings.js";
import { readHeader } from "./picture_header.js";
import { Trouble } from "./words.js";

const MOST_PIXELS = 64e6; // each takes four bytes while the browser decodes it: phones have no more room
const BAND = 256; // rows that are looked at at once: no canvas of some phones holds a whole photograph
const { LONGEST_SIDE } = numbers.decoders;
const { SEEN_ON_WHITE } = numbers.images;
const HEAD = 1 << 20; // bytes in which a JPEG says its size, behind the thumbnail of a phone

/** Promise { grey, canvas } of a file, both at most LONGEST_SIDE long; throws Trouble for what is no picture. */
export async function loadPicture(file) {
  const { name } = file;
  if (!file.size) throw new Trouble("empty", { name });
  const header = readHeader(new Uint8Array(await (await isGif(file) ? file : file.slice(0, HEAD)).arrayBuffer()));
  if (header.animation) throw new Trouble("animation", { name });
  refuseLarge(name, header);
  const options = { colorSpaceConversion: "none", premultiplyAlpha: "none", imageOrientation: "from-image" };
  const bitmap = await createImageBitmap(file, options).catch(() => null);
  if (!bitmap) throw new Trouble(header.heic ? "heic" : "unreadable", { name });
  try {
    refuseLarge(name, bitmap);
    return { grey: reduced(greyIn(bitmap)), canvas: shown(bitmap) };
  } finally {
    bitmap.close();
  }
}

async function isGif(file) {
  return (await file.slice(0, 4).text()) === "GIF8";
}

function refuseLarge(name, { width, height }) {
  if (width * height > MOST_PIXELS) throw new Trouble("pixels", { name, width, height });
}

/** Return the grey of a picture; what is transparent lies on white, on black where nothing would be seen of it. */
function greyIn(bitmap) {
  const onWhite = banded(bitmap, "white");
  if (!onWhite.clear || darkest(onWhite.grey) <= SEEN_ON_WHITE) return onWhite.grey;
  return banded(bitmap, "black").grey;
}

function banded(bitmap, paper) {
  const { width, height } = bitmap;
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [width, Math.min(BAND, height)];
  const context = canvas.getContext("2d", { willReadFrequently: true });
  const grey = new Plane(width, height);
  let clear = false;
  for (let top = 0; top < height; top += BAND) {
    const rows = Math.min(BAND, height - top);
    context.clearRect(0, 0, width, rows);
    context.drawImage(bitmap, 0, top, width, rows, 0, 0, width, rows);
    const { data } = context.getImageData(0, 0, width, rows);
    clear = layOn(data, paper === "white" ? 255 : 0) || clear;
    greyOf(data, width, rows, grey, top * width);
  }
  return { grey, clear };
}

/** Lay colours with opacity on paper, in place; return whether any of them let it through. */
function layOn(pixels, paper) {
  let clear = false;
  for (let place = 3; place < pixels.length; place += 4) {
    const opacity = pixels[place];
    if (opacity === 255) continue;
    clear = true;
    for (let colour = place - 3; colour < place; colour++) {
      pixels[colour] = Math.floor((pixels[colour] * opacity + paper * (255 - opacity)) / 255);
    }
  }
  return clear;
}

/** Blurred a little, so that a few stray pixels do not count as strokes. */
function darkest(grey) {
  return blur(grey, 3, "reflect101").data.reduce((least, value) => Math.min(least, value), 255);
}

function sizeWithin({ width, height }) {
  const scale = Math.min(1, LONGEST_SIDE / Math.max(width, height));
  return [width, height].map((side) => Math.max(1, round(side * scale)));
}

function reduced(grey) {
  return resize(grey, ...sizeWithin(grey), "area");
}

function shown(bitmap) {
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = sizeWithin(bitmap);
  const context = canvas.getContext("2d");
  context.fillStyle = "white";
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
  return canvas;
}
