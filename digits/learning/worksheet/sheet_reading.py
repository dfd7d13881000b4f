"""From a photographed worksheet to pictures with labels, and what speaks against a label."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace

import numpy as np

from digits.learning.worksheet.box_contents import Cut, State, cut_boxes
from digits.learning.worksheet.page import Code
from digits.learning.worksheet.straighten import SheetError, straighten
from digits.reading.finding.one_digit import main_tile
from digits.reading.models.temperature import scaled
from digits.reading.reader import Classifier

# The model contradicts a label when it reads another digit with this confidence, or gives the label almost nothing.
_CONTRADICTED = 0.95
_ALMOST_NOTHING = 0.01
# A sheet of which so much is contradicted was filled in another order. Of sheets filled in order it is 0 to 3 %.
_MOST_CONTRADICTED = 0.35
_FEWEST_TO_JUDGE = 6


@dataclass(frozen=True)
class Picture:
    """The picture of one box: its tile, if strokes are found in it, and why it is set aside ("" if it is not)."""

    cut: Cut
    tile: np.ndarray | None
    doubt: str = ""


@dataclass(frozen=True)
class Scan:
    """What a photographed sheet holds: pictures to keep, boxes by state, and its code if that can be read."""

    pictures: list[Picture]
    states: Counter[State]
    code: Code | None


def read_sheet(photo: np.ndarray, model: Classifier | None) -> Scan:
    """Return what is written in the boxes of a photographed worksheet.

    Args:
        photo: uint8 (H, W, 3) BGR.
        model: contradicts labels that are wrong; None believes them all.
    Raises:
        SheetError: if the photograph cannot be trusted.
    """
    straight = straighten(photo)
    cuts = cut_boxes(straight)
    written = [cut for cut in cuts if cut.picture is not None]
    if not written:
        raise SheetError("all its boxes are empty; photograph a sheet that somebody has filled in.")
    pictures = [_with_tile(cut) for cut in written]
    if model is not None:
        pictures = _judged(pictures, model)
    return Scan(pictures, Counter(cut.state for cut in cuts), straight.code)


def _with_tile(cut: Cut) -> Picture:
    doubt = "runs-out" if cut.state is State.DOUBTFUL else ""
    try:
        return Picture(cut, main_tile(cut.picture), doubt)
    except ValueError:
        return Picture(cut, None, "no-strokes")


def _judged(pictures: list[Picture], model: Classifier) -> list[Picture]:
    """Return the pictures with the model's doubts.

    Raises:
        SheetError: if it contradicts so many that rows and digits cannot belong together.
    """
    with_tile = [position for position, picture in enumerate(pictures) if picture.tile is not None]
    if not with_tile:
        return pictures
    tiles = np.stack([pictures[position].tile for position in with_tile])
    probabilities = scaled(model.predict(tiles), model.temperature)
    judged = list(pictures)
    for position, row in zip(with_tile, probabilities, strict=True):
        doubt = _contradiction(pictures[position].cut.box.label, row)
        if doubt and not pictures[position].doubt:
            judged[position] = replace(pictures[position], doubt=doubt)
    whole = [picture for picture in judged if picture.tile is not None and picture.cut.state is State.WRITTEN]
    contradicted = sum(bool(picture.doubt) for picture in whole)
    if len(whole) >= _FEWEST_TO_JUDGE and contradicted > _MOST_CONTRADICTED * len(whole):
        raise SheetError(
            f"{contradicted} of its {len(whole)} digits are read as others than their rows ask for;"
            " was it filled in another order? --model none files them as they stand."
        )
    return judged


def _contradiction(label: int, probabilities: np.ndarray) -> str:
    """Return what the model says against a label, as part of a file's name; "" for nothing."""
    read = int(probabilities.argmax())
    if read != label and probabilities[read] >= _CONTRADICTED:
        return f"looks-like-{read}"
    return "looks-like-none" if probabilities[label] < _ALMOST_NOTHING else ""
