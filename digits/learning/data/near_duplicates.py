"""Pictures that show the same drawing twice."""

from collections import defaultdict

import cv2
import numpy as np

from digits.learning.data.own_image import OwnImage

# Distance of the fingerprints (0 the same, 1.4 nothing in common) below which two pictures show the same drawing.
# Photographs re-saved, darkened or halved stay below in 95 of 100, turned by 1.5 degrees in 75; of pairs of MNIST's
# ones, the digit most alike, 1 in 100,000 is as near. Signs of a DCT, the usual hash, took in 8 times as many of those.
NEAR = 0.12
_PRINT_SIDE = 24
_ROWS = 1024  # of the matrix of all pairs, made at once


def fingerprint(tile: np.ndarray) -> bytes:
    """Return 24 x 24 means of a tile, which change little with how the drawing was photographed or saved.

    Args:
        tile: uint8 (96, 96). The photograph itself would not do: all white sheets look alike.
    """
    return cv2.resize(tile, (_PRINT_SIDE, _PRINT_SIDE), interpolation=cv2.INTER_AREA).tobytes()


def near_groups(images: list[OwnImage]) -> list[list[int]]:
    """Return the positions of the usable images in groups of near-duplicates, singles included."""
    from scipy.sparse import csr_array, vstack  # takes a tenth of a second to import, which every worker would pay
    from scipy.sparse.csgraph import connected_components

    usable = [position for position, image in enumerate(images) if not image.reason]
    if not usable:
        return []
    prints = np.stack([np.frombuffer(bytes.fromhex(images[p].facts.near), np.uint8) for p in usable]).astype(np.float32)
    prints /= np.linalg.norm(prints, axis=1, keepdims=True)
    # |a - b|^2 = 2 - 2ab for vectors of length 1
    parts = (prints[start : start + _ROWS] @ prints.T > 1 - NEAR**2 / 2 for start in range(0, len(prints), _ROWS))
    _, names = connected_components(vstack([csr_array(part) for part in parts]), directed=False)
    groups = defaultdict(list)
    for position, name in zip(usable, names, strict=True):
        groups[name].append(position)
    return list(groups.values())
