/** What the page carries: files, compressed and written as text into script elements that no browser runs. */

/** Promise the bytes of the file of a name. */
export async function unpacked(name) {
  const text = atob(document.getElementById(name).textContent.trim());
  const packed = Uint8Array.from(text, (letter) => letter.charCodeAt(0));
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}
