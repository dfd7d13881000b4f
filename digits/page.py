"""The web page with a model of one's own inside: one file that reads digits in any browser, offline.

    python -m digits.page                                  digits.html with the default export
    python -m digits.page --model exports/taught --out ana.html
    python -m digits.page --serve                          for phones in the same network

Browsers give the camera to https pages and to files alone: over --serve phones draw, and read photographs they take.
"""

import argparse
import base64
import gzip
import http.server
import json
import socket
import sys
from pathlib import Path
from types import ModuleType

from digits.files import in_words, printable, replacing
from digits.outputs import say
from digits.paths import PACKAGE_ROOT
from digits.reading import decoders, hints, images, rows, tile
from digits.reading import reader as reading
from digits.reading.finding import decode, ink, looks, score
from digits.reading.live import collecting, tracking
from digits.reading.live.words import WORDS
from digits.reading.models import temperature
from digits.reading.models.default import default_export
from digits.reading.models.errors import ModelError
from digits.reading.models.finder import Finder, load_finder
from digits.reading.models.loading import load_model
from digits.reading.models.model import Model

BUILT = PACKAGE_ROOT / "exports" / "page"  # web/build.mjs writes it
PAGE = "digits.html"
MOST_BYTES = 8_000_000  # with the default export
_PORT = 8000
_ELSEWHERE = ("192.0.2.1", 9)  # an address that nobody has: it says which of ours leads out; nothing is sent
_MODELS = ("model_int8.tflite", "model.tflite")  # as the live script prefers them
# The modules of Python that have a twin in web/reading, by the name they have there.
_TWINS = {"looks": looks, "decode": decode, "ink": ink, "score": score, "tile": tile, "rows": rows, "hints": hints,
          "reader": reading, "temperature": temperature, "tracking": tracking, "collecting": collecting,
          "images": images, "decoders": decoders}  # fmt: skip


def page(model: Model, finder: Finder, built: Path = BUILT) -> str:
    """Return the page with a model and a finder inside, both of .tflite files.

    Raises:
        ModelError: if a file of the built page is missing.
    """
    try:
        html = (built / "page.html").read_text(encoding="utf-8")
        runtime = {"loader": (built / "litert.js.gz").read_bytes(), "runtime": (built / "litert.wasm.gz").read_bytes()}
    except OSError as error:
        found = in_words(error).rstrip(".")
        raise ModelError(f"{found}. Get the release's exports/page, or build it: see docs/page.md.") from error
    packed = runtime | {name: gzip.compress(path.read_bytes(), mtime=0) for name, path in
                        {"finder": finder.path, "model": model.path}.items()}  # fmt: skip
    files = "\n".join(f'<script id="{name}" type="text/plain">{base64.b64encode(data).decode()}</script>'
                      for name, data in packed.items())  # fmt: skip
    return html.replace("{{settings}}", _as_script(settings(model, finder))).replace("{{files}}", files)


def settings(model: Model, finder: Finder) -> dict:
    """Return what the page takes from the Python side: numbers, words, and what the cards say."""
    return {
        "model": {"name": model.name, "format": model.format, "verified": model.verified,
                  "temperature": model.temperature},
        "finder": finder.card.get("version"),
        "decoding": finder.decoding._asdict(),
        "score": finder.card.get("score", score.WEIGHTS),
        "accept": reading.Reader(model, finder=finder).min_confidence,
        "numbers": {name: numbers_of(module) for name, module in _TWINS.items()},
        "words": WORDS,
    }  # fmt: skip


def numbers_of(module: ModuleType) -> dict:
    """Return the constants of a module that are numbers, or tuples of numbers, without the underscore before them."""
    return {name.lstrip("_"): value for name, value in vars(module).items() if name.isupper() and _is_number(value)}


def _is_number(value: object) -> bool:
    if isinstance(value, tuple):
        return all(map(_is_number, value))
    return isinstance(value, int | float)


def _as_script(value: dict) -> str:
    """Return JSON that ends no script element, whatever it says."""
    return json.dumps(value, ensure_ascii=False).replace("<", "\\u003c")


def tflite_of(export: Path) -> Path:
    """Return the file of an export that browsers run; raises ModelError if there is none."""
    if export.is_file():
        return export
    found = next((export / name for name in _MODELS if (export / name).is_file()), None)
    if found is None:
        raise ModelError(f"{export} holds no {_MODELS[1]}, expected an export folder or a .tflite file.")
    return found


def serve(html: str, port: int) -> None:
    """Give the page to every browser of the network, until Ctrl-C.

    Raises:
        OSError: if the port is taken.
    """
    content = html.encode()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:  # noqa: N802
            found = self.path.split("?")[0] in ("/", f"/{PAGE}")
            self.send_response(200 if found else 404)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.send_header("Content-Length", str(len(content) if found else 0))
            self.end_headers()
            if found:
                self.wfile.write(content)

        def log_message(self, *_) -> None:
            """Say nothing of each request."""

    with http.server.ThreadingHTTPServer(("", port), Handler) as server:
        print(f"http://{_own_address()}:{server.server_port} for browsers in this network, until Ctrl-C. Phones draw "
              "and take photographs there; for their camera, put the page on an https host.", flush=True)
        server.serve_forever()


def _own_address() -> str:
    """Return the address under which this computer is known in its network."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as out:
        try:
            out.connect(_ELSEWHERE)
            return out.getsockname()[0]
        except OSError:
            return "127.0.0.1"


def main(arguments: list[str] | None = None) -> int:
    """Write the page, or serve it; return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m digits.page", description=__doc__.split("\n")[0])
    parser.add_argument("--model", type=Path, metavar="EXPORT", help="an export folder or a .tflite file")
    parser.add_argument("--out", type=Path, default=Path(PAGE), metavar="FILE", help=f"the page, {PAGE} by default")
    parser.add_argument("--serve", type=int, nargs="?", const=_PORT, metavar="PORT",
                        help=f"write nothing, but give the page to browsers of the network; port {_PORT} by default")
    options = parser.parse_args(arguments)
    try:
        html = page(load_model(tflite_of(options.model or default_export())), load_finder())
        if options.serve is None:
            with replacing(options.out) as beside:
                beside.write_text(html, encoding="utf-8")
            print(printable(f"{options.out} ({options.out.stat().st_size / 1e6:.1f} MB): open it in a browser."))
        else:
            serve(html, options.serve)
    except ModelError as error:
        say(error)
        return 4
    except (OSError, OverflowError) as error:
        where = "" if options.serve is None else f"Port {options.serve} cannot be used; name another one: "
        say(where + in_words(error))
        return 2
    except KeyboardInterrupt:
        return 0
    return 0


if __name__ == "__main__":
    sys.exit(main())
