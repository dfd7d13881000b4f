"""What comes from strangers, each thing tried: names, pages, zips, models, streams. Each ends harmless."""

import json
import os
import shutil
import sys
import threading
import zipfile
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import cv2
import numpy as np
import pytest
from made_up import page, trembling, write_clip
from own_pictures import photo, save, small_mnist

from digits.files import printable
from digits.reading.models.card import CARD, SUMS
from digits.reading.models.default import default_in
from digits.reading.models.errors import ModelError
from digits.reading.models.golden import load_golden
from digits.reading.models.loading import load_model

posix = pytest.mark.skipif(os.name == "nt", reason="other systems take no such name")


@pytest.fixture
def read(script, tiny_export):
    return partial(script, "--model", tiny_export, "--headless", "--source")


@pytest.fixture
def loaded_here(monkeypatch):
    """Models are tried in this process: TensorFlow is here already, or soon is."""
    monkeypatch.setattr("digits.reading.models.loading._trial", lambda path: None)


@posix
def test_names_of_files_do_not_steer_the_terminal(read, tmp_path, capsys):
    from digits.learning.worksheet.__main__ import main

    assert printable("a\x1b[2J\nb\x9b é \u202e\udce9") == "a\\x1b[2J\\nb\\x9b é \\u202e\\udce9"
    cv2.imwrite(str(tmp_path / "a.png"), page())
    hostile = tmp_path / "b\x1b[2J\nRead: 7\x07.png"
    hostile.write_bytes(b"no picture")
    out, err = read(tmp_path).communicate(timeout=60)
    assert [json.loads(line)["source"] for line in out.splitlines()] == [str(tmp_path / "a.png")]
    skipped = [line for line in err.splitlines() if "Skipped" in line]
    assert len(skipped) == 1 and "\\x1b[2J\\nRead: 7\\x07.png" in skipped[0] and "\x1b" not in err + out
    assert main(["scan", str(hostile), "--custom", str(tmp_path / "custom"), "--model", "none"]) == 1
    err = capsys.readouterr().err
    assert err.count("\n") == 1 and "\x1b" not in err


@posix
def test_names_of_pictures_stay_text_in_the_audit_page(tmp_path, monkeypatch, capsys):
    from digits.learning.data import merge
    from digits.learning.dataset import main

    monkeypatch.setattr(merge, "load_mnist", lambda *_: small_mnist(30, 10))
    hostile = "\"><script>alert(1)<"
    save(tmp_path / "custom" / f"<b onload='x'>{hostile}" / "7" / f"{hostile}.png", photo(7, 1))
    (tmp_path / "custom" / "exclude.txt").write_text("</textarea><script>alert(2)")
    where = ["--custom", str(tmp_path / "custom"), "--out", str(tmp_path / "merged")]
    assert main(["audit", *where, "--page", str(tmp_path / "audit.html")]) == 0, capsys.readouterr().err
    text = (tmp_path / "audit.html").read_text(encoding="utf-8")
    assert text.count("<script>") == 1 and "<b onload" not in text and text.count("</textarea>") == 1
    assert "&lt;script&gt;alert(1)" in text


def test_names_of_pictures_stay_text_in_the_sheet_of_mistakes(tmp_path):
    plots = pytest.importorskip("digits.learning.experiment.plots")
    tiles, names = np.zeros((3, 96, 96), np.uint8), ["$\\frac$", "a\x1b[2J\n$x^$", "b\udce9"]
    figure = plots.mistakes_gallery(tiles, np.arange(3), np.eye(10)[:3], "three", names)
    figure.savefig(tmp_path / "sheet.png")
    lines = [line for axes in figure.axes[:3] for line in axes.get_title().split("\n")]
    assert len(lines) == 6 and lines[1] == "$\\frac$" and all(map(str.isprintable, lines))


def zip_of(path: Path, entries: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in entries.items():
            archive.writestr(name, data)
    return path


def test_zips_that_reach_out_or_swell_are_not_opened(tmp_path, loaded_here, monkeypatch):
    pytest.importorskip("h5py")
    whole = {"metadata.json": b"{}", "config.json": b"{}", "model.weights.h5": b""}
    for name in ("../evil.txt", "/evil.txt", "assets/../../evil.txt"):
        with pytest.raises(ModelError, match="expected a network and its weights alone"):
            load_model(zip_of(tmp_path / "model.keras", whole | {name: b"evil"}))
    assert [path.name for path in tmp_path.iterdir()] == ["model.keras"] and not Path("/evil.txt").exists()
    monkeypatch.setattr("digits.reading.models.packed._MOST_BYTES", 50_000_000)
    zeros = bytes(60_000_000)
    bomb = zip_of(tmp_path / "model.keras", whole | {"model.weights.h5": zeros})
    assert bomb.stat().st_size < len(zeros) / 900, "a thousandfold"
    with pytest.raises(ModelError, match="would take 600000.. bytes unpacked"):
        load_model(bomb)
    golden = zip_of(tmp_path / "golden.npz", {"tiles.npy": zeros})
    with pytest.raises(ModelError, match="bytes unpacked"):
        load_golden(golden)


def test_weights_that_lie_in_other_files_are_not_read(tmp_path, loaded_here):
    h5py = pytest.importorskip("h5py")
    with h5py.File(tmp_path / "secret.h5", "w") as file:
        file["numbers"] = np.arange(4.0)
    (tmp_path / "secret.bin").write_bytes(bytes(64))
    harm = {
        "link": lambda file: file.__setitem__("w", h5py.ExternalLink(str(tmp_path / "secret.h5"), "/numbers")),
        "bytes": lambda file: file.create_dataset("w", (8,), "f8", external=[(str(tmp_path / "secret.bin"), 0, 64)]),
        "view": lambda file: file.create_virtual_dataset("w", virtual(h5py, tmp_path / "secret.h5")),
        "size": lambda file: file.create_dataset("w", (10**10,), "f4", chunks=(1000,)),
    }
    (tmp_path / "model.json").write_text("{}")
    for name, how in harm.items():
        for path in (tmp_path / f"{name}.h5", tmp_path / "model.weights.h5"):
            with h5py.File(path, "w") as file:
                how(file.create_group("layers"))
            with pytest.raises(ModelError, match="another file|in memory"):
                load_model(path)


def virtual(h5py, source: Path):
    layout = h5py.VirtualLayout((4,), "f8")
    layout[:] = h5py.VirtualSource(str(source), "numbers", (4,))
    return layout


def test_a_card_cannot_be_endless_and_a_default_stays_in_its_folder(tmp_path, tiny_export):
    folder = Path(shutil.copytree(tiny_export, tmp_path / "exports" / "net"))
    (folder / SUMS).unlink(missing_ok=True)
    card = json.loads((folder / CARD).read_text(encoding="utf-8"))
    for changes in ({"name": "x" * 10_000}, {"more": "x" * 11_000_000}):
        (folder / CARD).write_text(json.dumps(card | changes), encoding="utf-8")
        with pytest.raises(ModelError, match="no card of an export|larger than"):
            load_model(folder)
    (tmp_path / "exports" / "default.txt").write_text("..\n../exports/net\n/\nnet\n")
    assert default_in(tmp_path / "exports") == folder


class _Hostile(BaseHTTPRequestHandler):
    """A camera that sends whoever asks to a file of their own."""

    clip = ""

    def do_GET(self):
        listed = f"#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\nfile://{self.clip}\n#EXT-X-ENDLIST\n".encode()
        self.send_response(200 if "list" in self.path else 302)
        self.send_header("Location", f"file://{self.clip}")
        self.end_headers()
        self.wfile.write(listed if "list" in self.path else b"")

    def log_message(self, *arguments):
        pass


def test_a_stream_cannot_point_to_files_nor_a_video_to_the_net(read, tmp_path):
    _Hostile.clip = str(write_clip(tmp_path / "mine.avi", trembling(3)))
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Hostile)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    address = f"http://127.0.0.1:{server.server_port}"
    (tmp_path / "theirs.mp4").write_text(f"#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\n{address}/a.ts\n")
    started = [read(source) for source in (f"{address}/video", f"{address}/list.m3u8", tmp_path / "theirs.mp4")]
    ends = [(process.communicate(timeout=90)[0], process.returncode) for process in started]
    server.shutdown()
    assert ends == [("", 3)] * 3


@pytest.mark.skipif(sys.platform == "win32", reason="paths as other systems write them")
@pytest.mark.parametrize("location", ["../secret.bin", "{folder}/secret.bin", "secret.bin"])
def test_weights_of_an_onnx_file_do_not_come_from_elsewhere(tiny_export, tmp_path, location):
    onnx = pytest.importorskip("onnx")
    model = onnx.load(tiny_export / "model.onnx")
    for tensor in model.graph.initializer:
        (tmp_path / "secret.bin").write_bytes(onnx.numpy_helper.to_array(tensor).tobytes())
        tensor.ClearField("raw_data")
        tensor.data_location = onnx.TensorProto.EXTERNAL
        tensor.external_data.add(key="location", value=location.format(folder=tmp_path))
    (tmp_path / "model.onnx").write_bytes(model.SerializeToString())
    with pytest.raises(ModelError, match="cannot be loaded"):
        load_model(tmp_path / "model.onnx")
