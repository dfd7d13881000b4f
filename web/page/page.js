import { greyOf } from "../opencv/planes.js";
import { ReadingWorker } from "./reading_worker.js";

const worker = new ReadingWorker();

/** Promise the reading of a picture that a canvas can draw. */
async function read(image) {
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [image.width, image.height];
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context.drawImage(image, 0, 0);
  const { data } = context.getImageData(0, 0, canvas.width, canvas.height);
  return worker.still(greyOf(data, canvas.width, canvas.height));
}

window.digits = { worker, read, ready: worker.open() };
