/** What the first bytes of a picture say of it, before it is decoded: a twin of image_header.py and image_kinds.py. */

const HEIC = ["heic", "heix", "heim", "heis", "hevc", "hevx", "hevm", "hevs"];
const JPEG_FRAMES = new Set([0xc0, 0xc1, 0xc2, 0xc3, 0xc5, 0xc6, 0xc7, 0xc9, 0xca, 0xcb, 0xcd, 0xce, 0xcf]);

/** Return width and height in pixels where the file says them, and whether it is an `animation` or `heic`. */
export function readHeader(bytes) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const text = (start, end) => String.fromCharCode(...bytes.subarray(start, end));
  try {
    if (text(1, 4) === "PNG") return png(view, text);
    if (text(0, 4) === "GIF8") return gif(bytes, view);
    if (view.getUint16(0) === 0xffd8) return jpeg(view);
    if (text(0, 4) === "RIFF" && text(8, 12) === "WEBP") return webp(view, text);
    if (text(0, 2) === "BM") return { width: Math.abs(view.getInt32(18, true)), height: Math.abs(view.getInt32(22, true)) };
    if (text(4, 8) === "ftyp") return { heic: HEIC.some((brand) => text(8, 64).includes(brand)), animation: text(8, 64).includes("avis") };
  } catch (error) {
    if (!(error instanceof RangeError)) throw error; // cut off: the decoder will say so
  }
  return {};
}

function png(view, text) {
  const head = text(0, Math.min(4096, view.byteLength)).split("IDAT")[0];
  return { width: view.getUint32(16), height: view.getUint32(20), animation: head.includes("acTL") };
}

function jpeg(view) {
  for (let place = 2; place < view.byteLength - 9; ) {
    const marker = view.getUint8(place + 1);
    if (view.getUint8(place) !== 0xff || marker === 0xff) place += 1;
    else if (marker === 0x01 || (marker >= 0xd0 && marker < 0xd9)) place += 2;
    else if (JPEG_FRAMES.has(marker)) return { width: view.getUint16(place + 7), height: view.getUint16(place + 5) };
    else place += 2 + view.getUint16(place + 2);
  }
  return {};
}

function webp(view, text) {
  const kind = text(12, 16);
  const three = (place) => view.getUint16(place, true) + (view.getUint8(place + 2) << 16);
  if (kind === "VP8X") return { width: 1 + three(24), height: 1 + three(27), animation: Boolean(view.getUint8(20) & 2) };
  const bits = view.getUint32(kind === "VP8L" ? 21 : 26, true);
  if (kind === "VP8L") return { width: 1 + (bits & 0x3fff), height: 1 + ((bits >> 14) & 0x3fff) };
  return { width: bits & 0x3fff, height: (bits >> 16) & 0x3fff };
}

/** A GIF holds blocks: it is an animation where a second picture (0x2c) follows the first. */
function gif(bytes, view) {
  const size = { width: view.getUint16(6, true), height: view.getUint16(8, true) };
  const colours = (flags) => (flags & 0x80 ? 3 << ((flags & 7) + 1) : 0);
  const pastBlocks = (start) => {
    let at = start;
    while (view.getUint8(at)) at += 1 + bytes[at];
    return at + 1;
  };
  let place = 13 + colours(bytes[10]);
  for (let pictures = 0; place < bytes.length; ) {
    const kind = view.getUint8(place);
    if (kind === 0x21) place = pastBlocks(place + 2);
    else if (kind !== 0x2c) break;
    else if (++pictures === 2) return { ...size, animation: true };
    else place = pastBlocks(place + 11 + colours(bytes[place + 9]));
  }
  return size;
}
