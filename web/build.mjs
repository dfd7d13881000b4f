/**
 * Builds the page without its models into a folder, exports/page by default: npm ci && npm run build [-- FOLDER]
 *
 * `python -m digits.page` puts the models, the runtime and the numbers of the Python side into it.
 */

import { build } from "esbuild";
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";

const web = dirname(fileURLToPath(import.meta.url));
const out = process.argv[2] ?? join(web, "..", "exports", "page");
const litert = join(web, "node_modules", "@litertjs", "core");
// The build without threads and for the SIMD that every browser has: as fast here as the one for newer browsers.
const RUNTIME = "litert_wasm_compat_internal";

async function bundled(entry) {
  const options = { bundle: true, write: false, format: "iife", target: "es2022", charset: "utf8", legalComments: "none" };
  const result = await build({ ...options, entryPoints: [join(web, entry)], absWorkingDir: web });
  return result.outputFiles[0].text;
}

const parts = {
  style: readFileSync(join(web, "page", "page.css"), "utf8"),
  worker: await bundled("reading/worker.js"),
  page: await bundled("page/page.js"),
};
const html = readFileSync(join(web, "page", "page.html"), "utf8");
mkdirSync(out, { recursive: true });
writeFileSync(join(out, "page.html"), html.replace(/\{\{(style|worker|page)\}\}/g, (_, part) => parts[part]));
for (const kind of ["js", "wasm"]) {
  writeFileSync(join(out, `litert.${kind}.gz`), gzipSync(readFileSync(join(litert, "wasm", `${RUNTIME}.${kind}`)), { level: 9 }));
}
copyFileSync(join(web, "LICENSE-LiteRT.txt"), join(out, "LICENSE-LiteRT.txt"));
