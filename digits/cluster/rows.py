"""What a picture says, as one row of a Parquet table, and the actor that makes such rows."""

from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import cv2
import pyarrow as pa

from digits.cluster.pictures import filesystem
from digits.files import in_words
from digits.reading.images import decode_image
from digits.reading.models.finder import load_finder
from digits.reading.models.loading import load_model
from digits.reading.reader import Reader
from digits.reading.readings import Reading

PICTURES, BAD = "pictures", "bad"  # the two tables
_BOX = pa.struct({side: pa.int32() for side in "xywh"})
_SCHEMA = pa.schema({
    "path": pa.string(), "width": pa.int32(), "height": pa.int32(),
    "rows": pa.list_(pa.string()),  # lines of text, from top to bottom; a gap between two numbers is a space
    "digits": pa.list_(pa.struct({"box": _BOX, "digit": pa.int8(), "confidence": pa.float32(),
                                 "score": pa.float32()})),
    "hint": pa.string(), "model_sha256": pa.string(), "reason": pa.string(), "table": pa.string(),
})  # fmt: skip


def row_of(path: str, reading: Reading) -> dict:
    """Return the row of a picture that was read."""
    width, height = reading.size
    found = [{"box": digit.box._asdict(), "digit": digit.digit, "confidence": digit.confidence, "score": digit.score}
             for digit in reading.digits]  # fmt: skip
    return {"path": path, "width": width, "height": height, "rows": reading.lines, "digits": found,
            "hint": reading.hint}  # fmt: skip


class PictureReader:
    """Reads batches of pictures: an actor of Ray Data, which loads the model once."""

    def __init__(self, model: Path, sha256: str) -> None:
        cv2.setNumThreads(1)  # the actors are the parallelism
        self._reader = Reader(load_model(model, threads=1), finder=load_finder(threads=1))
        self._sha256 = sha256
        self._threads = ThreadPoolExecutor(8)  # a bucket takes tens of milliseconds to answer

    def __call__(self, batch: pa.Table) -> pa.Table:
        """Return a row for each picture of a batch, which has the column `path` and may have `bytes`."""
        pictures = [(row["path"], self._threads.submit(_content, **row)) for row in batch.to_pylist()]
        rows = [self._row(*picture) | {"model_sha256": self._sha256} for picture in pictures]
        return pa.Table.from_pylist(rows, _SCHEMA)

    def _row(self, path: str, content: Future) -> dict:
        try:
            return row_of(path, self._reader.read(decode_image(content.result(), path))) | {"table": PICTURES}
        except (OSError, ValueError, MemoryError, cv2.error) as error:  # one picture must not end the others' run
            return {"path": path, "reason": in_words(error), "table": BAD}


def _content(path: str, bytes: bytes | None = None) -> bytes:  # noqa: A002
    if bytes is not None:
        return bytes
    system, inner = filesystem(path)
    with system.open_input_stream(inner) as file:
        return file.read()
