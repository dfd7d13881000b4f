"""Golden pictures: sources, the tiles they become, and what the Keras model says of those."""

import platform
import zipfile
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from digits.reading.finding.one_digit import found_in, main_tile
from digits.reading.models.errors import ModelError, brief
from digits.reading.models.packed import refuse_expansion
from digits.reading.tile import TILE_SIZE, normalise

GOLDEN = "golden.npz"
_UNREADABLE = (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile)  # what a damaged .npz raises


@dataclass(frozen=True)
class Golden:
    """What `golden.npz` holds."""

    sources: list[np.ndarray]  # pictures, uint8 (H, W) ink or (H, W, 3) photographs
    tiles: np.ndarray  # uint8 (N, 96, 96), what became of them
    boxes: list[np.ndarray]  # int (K, 4) a picture: x, y, w, h of what is found in a photograph; (0, 4) for ink
    probabilities: np.ndarray  # float32 (N, 10), what the Keras model made of the tiles


def machine() -> dict[str, str]:
    """Return what decides the last bit of a tile: system, processor, and OpenCV with the instructions it uses."""
    return {"system": platform.system(), "machine": platform.machine(), "opencv": cv2.__version__,
            "instructions": " ".join(cv2.getCPUFeaturesLine().split())}


def golden_tile(source: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the tile of a golden source, and the boxes (K, 4) of all digits found if it is a photograph."""
    if source.ndim == 2:
        return normalise(source), np.zeros((0, 4), np.int32)
    boxes = [digit.box for digit in found_in(source)]
    return main_tile(source), np.array(boxes, np.int32).reshape(-1, 4)


def save_golden(path: Path, golden: Golden) -> None:
    """Write golden sources, tiles, boxes and probabilities."""
    arrays = {f"source_{i:02}": source for i, source in enumerate(golden.sources)}
    arrays |= {f"boxes_{i:02}": boxes for i, boxes in enumerate(golden.boxes)}
    np.savez_compressed(path, tiles=golden.tiles, probabilities=golden.probabilities, **arrays)


def load_golden_frames(path: Path) -> dict[str, np.ndarray]:
    """Read the golden frames of a finder, `frame_N`, `boxes_N` and `centres_N`; ModelError if they are not there."""
    try:
        refuse_expansion(path)
        with np.load(path) as file:
            numbers = [name.removeprefix("frame_") for name in file.files if name.startswith("frame_")]
            return {f"{kind}_{number}": file[f"{kind}_{number}"]
                    for number in numbers for kind in ("frame", "boxes", "centres")}
    except _UNREADABLE as error:
        raise ModelError(f"{path} cannot be read as golden frames ({brief(error)}).") from error


def load_golden(path: Path) -> Golden:
    """Read what `save_golden` wrote; raises ModelError if that is not what the file holds."""
    try:
        refuse_expansion(path)
        with np.load(path, allow_pickle=False) as file:
            tiles, probabilities = file["tiles"], file["probabilities"]
            names = [f"{i:02}" for i in range(len(tiles))]
            sources, boxes = [[file[f"{kind}_{name}"] for name in names] for kind in ("source", "boxes")]
    except _UNREADABLE as error:
        raise ModelError(f"{path} cannot be read as golden pictures ({brief(error)}).") from error
    if tiles.shape[1:] != (TILE_SIZE, TILE_SIZE) or probabilities.shape != (len(tiles), 10) or not len(tiles):
        raise ModelError(f"{path} holds tiles {tiles.shape} and probabilities {probabilities.shape}.")
    return Golden(sources, tiles, boxes, probabilities)
