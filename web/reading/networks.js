/** The two networks, run by LiteRT: a twin of reading/models. */

import { Tensor, loadAndCompile, loadLiteRt } from "@litertjs/core";

import { SIDE } from "./looks.js";
import { numbers } from "./settings.js";
import { withBatchOfOne } from "./tflite.js";

const { TILE_SIZE } = numbers.tile;

/**
 * Promise `find`, which takes a picture and gives maps, and `classify`, which takes a tile and gives probabilities.
 * @param files `loader` (script) and `runtime` (WebAssembly) of LiteRT, `finder` and `model` (.tflite), as bytes.
 */
export async function openNetworks({ loader, runtime, finder, model }) {
  self.Module = { wasmBinary: runtime, print: tell, printErr: tell }; // so that nothing is fetched
  const url = URL.createObjectURL(new Blob([loader], { type: "text/javascript" }));
  await withoutGpu(() => loadLiteRt(`${url}#.js`)); // it takes what ends so for a file, all else for a folder
  URL.revokeObjectURL(url);
  const [finding, reading] = [await compiled(finder), await compiled(model)];
  return {
    find: (picture) => run(finding, picture, [1, SIDE, SIDE, 1]),
    classify: (tile) => run(reading, toInput(tile), [1, TILE_SIZE, TILE_SIZE, 3]),
  };
}

/** Let LiteRT find no graphics processor, which would take longer to start, and say nothing of it. */
async function withoutGpu(load) {
  const { warn } = console;
  Object.defineProperty(navigator, "gpu", { value: undefined });
  console.warn = () => {};
  try {
    return await load();
  } finally {
    console.warn = warn;
  }
}

/** Hand on what the runtime says, but not how it sets itself up. */
function tell(line) {
  if (!/^(INFO|WARNING)/.test(line)) console.warn(line);
}

function compiled(file) {
  return loadAndCompile(withBatchOfOne(file), { accelerator: "wasm" });
}

function toInput({ data }) {
  const input = new Float32Array(3 * data.length);
  data.forEach((value, place) => input.fill(value / 255, 3 * place, 3 * place + 3));
  return input;
}

async function run(network, values, shape) {
  const given = new Tensor(values, shape);
  const [taken] = await network.run([given]);
  const answer = taken.toTypedArray().slice();
  given.delete();
  taken.delete();
  return answer;
}
