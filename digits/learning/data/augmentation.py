"""The same digit as another hand and another pen might have written it, anew in every epoch."""

from functools import cache

import cv2
import numpy as np

from digits.reading.tile import LONG_SIDE, MAX_STROKE, MIN_STROKE, TILE_SIZE, stroke_width

# Raised on purpose, whenever a seed gives other tiles than before: what was trained with it is trained anew.
AUGMENTATION_VERSION = 2
UNTOUCHED = 0.25  # share of tiles that `often_geometric` leaves as they are: clean ones must not become rare
# How far one person's digit strays from another's. Beyond this a 6 starts to lie down and a 1 becomes a 7.
_ROTATION = 15.0  # degrees
_HASTY, _HASTY_ROTATION = 0.12, 26.0  # share of hands that turn further, as on paper that lies askew
_SHEAR = 0.25
_STRETCH = 0.18  # of width against height, either way
_ELASTIC = 3.0  # px a part of a stroke moves
_SHIFT = 2.0  # px the finished tile is off centre
# Real pictures leave rougher edges than rendered ones: the finder is surer of its ink where it has learned.
_ROUGH, _GAPS = 0.4, 0.2  # shares of hands whose strokes are frayed, and have gaps
_GAP = (3, 14)  # px, the diameters of an ellipse that is missing
_GRAINS = (2, 3, 4, 6, 12)  # px between what is independent in the noise that frays them
_FRAYED = 0.3  # its greatest standard deviation, where ink is 1
_SOFT = (0.6, 2.0)  # px, standard deviation of the blur before it
_LEVEL, _STEEP = (0.3, 0.6), 4.0  # of ink: where the new outline lies, and how fast it goes from black to white
_NOISES = 120  # fields of noise of each grain, moved about: drawing new ones would take longer than all else
# A warp is computed on a lattice of so many points a side. It is half as long again as the tile: sheared digits grow.
_LATTICE = 40
_STEP = 1.5 * TILE_SIZE / _LATTICE  # px
_ROOM = 2 * TILE_SIZE  # px a side that the enlarged lattice mostly stays under


def often_geometric(tiles: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return tiles uint8 (N, 96, 96) as another hand might have written them; a share of UNTOUCHED as they are."""
    drawn = rng.random(len(tiles)) >= UNTOUCHED
    result = tiles.copy()
    result[drawn] = geometric(tiles[drawn], rng)
    rough = drawn & (rng.random(len(tiles)) < _ROUGH)
    result[rough] = frayed(result[rough], rng)
    for i in np.flatnonzero(drawn & (rng.random(len(tiles)) < _GAPS)):
        _erase(result[i], rng)
    return result


def _erase(tile: np.ndarray, rng: np.random.Generator) -> None:
    """Take one or two small parts of its strokes from a tile."""
    rows, columns = np.nonzero(tile > 127)
    for place in rng.integers(len(rows), size=rng.integers(1, 3)) if len(rows) else ():
        middle = float(columns[place]), float(rows[place])
        cv2.ellipse(tile, (middle, tuple(rng.uniform(*_GAP, 2)), rng.uniform(0, 180)), 0, -1, cv2.LINE_AA)


def frayed(tiles: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return tiles uint8 (N, 96, 96) with rough strokes, worn thin in places, as from ink that the finder half sees."""
    result = np.empty_like(tiles)
    fields = _noise()
    for i, tile in enumerate(tiles):
        noise = np.roll(fields[rng.integers(len(fields))], rng.integers(0, TILE_SIZE, 2), (0, 1))
        ink = cv2.GaussianBlur(tile.astype(np.float32) / 255, (0, 0), rng.uniform(*_SOFT))
        # Noise frays strokes. It does not strew specks: there is none far from ink.
        ink += rng.uniform(0, _FRAYED) * noise * np.minimum(3 * ink, 1)
        result[i] = 255 * np.clip(_STEEP * (ink - rng.uniform(*_LEVEL)) + 0.5, 0, 1)
    return result


@cache
def _noise() -> np.ndarray:
    """Return float32 (M, 96, 96): smooth noise of standard deviation 1, of each of the grains."""
    rng = np.random.default_rng(9)
    fields = [cv2.resize(rng.normal(0, 1, (TILE_SIZE // grain,) * 2).astype(np.float32), (TILE_SIZE, TILE_SIZE),
                         interpolation=cv2.INTER_CUBIC) for grain in _GRAINS for _ in range(_NOISES)]  # fmt: skip
    return np.stack([field / field.std() for field in fields])


def geometric(tiles: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return every tile as another hand might have written it: turned, sheared, stretched, bent, another pen.

    The warped digit is measured on a coarse lattice, then drawn once, at its new place and size: half
    the time of warping it at full size and giving the result to `tile.normalise`.

    Args:
        tiles: uint8 (N, 96, 96).
        rng: where chance comes from; the same state gives the same tiles.
    Returns:
        uint8 (N, 96, 96) under the tile's contract, give or take two pixels of place and size, which is also how far
        readers stray; strokes stay between the tile's least and greatest width.
    """
    result = np.empty_like(tiles)
    pens, fields = _pens(tiles, rng), _fields(len(tiles), rng)
    shifts = rng.uniform(-_SHIFT, _SHIFT, (len(tiles), 2))
    room = np.empty(2 * _ROOM**2, np.float32)
    for i, tile in enumerate(tiles):
        if pens[i]:
            side = abs(int(pens[i])) + 1
            disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))
            tile = (cv2.dilate if pens[i] > 0 else cv2.erode)(tile, disc)
        _rewrite(tile, fields[i], shifts[i], room, result[i])
    return result


def _pens(tiles: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return int (N,): how many px wider each stroke gets; 0 mostly, and where it would leave the tile's contract."""
    kind = rng.random(len(tiles))
    wider = np.where(kind < 0.25, rng.integers(1, 5, len(tiles)), 0)
    finer = np.where((kind >= 0.25) & (kind < 0.45), rng.integers(1, 3, len(tiles)), 0)
    pens = wider - finer
    other = pens != 0
    width = _stroke_widths(tiles[other])
    least, most = np.minimum(MIN_STROKE - width, 0), np.maximum(MAX_STROKE - width, 0)
    pens[other] = np.clip(pens[other], least, most).round()
    return pens


def _stroke_widths(tiles: np.ndarray) -> np.ndarray:
    """Return float (N,), px: the widths of strokes as `tile` measures them, here on every second pixel."""
    grey = tiles[:, ::2, ::2].astype(np.float32) / 255
    area = grey.sum((1, 2)) * 4
    edges = np.hypot(np.diff(grey, axis=1)[:, :, 1:], np.diff(grey, axis=2)[:, 1:]).sum((1, 2)) * 2
    return np.array([stroke_width(*pair) for pair in zip(area, edges, strict=True)])


def _fields(count: int, rng: np.random.Generator) -> np.ndarray:
    """Return float32 (N, 2, 40, 40): the x and y on its tile that each point of a lattice looks at.

    A random affine map about the tile's middle, and on it an elastic one, smooth between 5x5 points.
    """
    most = np.where(rng.random(count) < _HASTY, _HASTY_ROTATION, _ROTATION)
    angle = np.deg2rad(rng.uniform(-most, most))
    stretch = 1 + rng.uniform(-_STRETCH, _STRETCH, count)
    shear = rng.uniform(-_SHEAR, _SHEAR, count)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    widen = np.array([[stretch, shear], [np.zeros(count), 1 / stretch]])
    matrix = np.einsum("ijn,jkn->nik", turn, widen).astype(np.float32)
    axis = (np.arange(_LATTICE, dtype=np.float32) - (_LATTICE - 1) / 2) * _STEP
    points = np.stack(np.meshgrid(axis, axis)).reshape(2, -1)
    bend = rng.uniform(0, _ELASTIC, (count, 1, 1, 1))
    coarse = (rng.normal(0, 1, (count, 5, 5, 2)) * bend).astype(np.float32)
    elastic = np.empty((count, _LATTICE, _LATTICE, 2), np.float32)
    for grid, bent in zip(coarse, elastic, strict=True):
        cv2.resize(grid, (_LATTICE, _LATTICE), bent, interpolation=cv2.INTER_CUBIC)
    fields = (matrix @ points).reshape(count, 2, _LATTICE, _LATTICE)
    fields += elastic.transpose(0, 3, 1, 2)
    fields += np.float32((TILE_SIZE - 1) / 2)
    return fields


def _rewrite(tile: np.ndarray, field: np.ndarray, shift: np.ndarray, room: np.ndarray, result: np.ndarray) -> None:
    """Write the tile seen through a field to `result`, with the digit's size and place made right but for `shift`.

    `shift` (2,) in px. `room`, float32, is where the enlarged field goes if it fits: fresh memory costs more than the
    enlarging.
    """
    seen = cv2.remap(tile, *field, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT)
    long_side = max(cv2.boundingRect((seen > 127).astype(np.uint8))[2:])
    if long_side == 0:
        result[:] = tile
        return
    moments = cv2.moments(seen)
    # Each pixel of the result looks up in the enlarged field where on the tile it looks.
    scale = LONG_SIDE / long_side
    size = max(round(_LATTICE * scale), TILE_SIZE)
    looks = room[: 2 * size**2] if size <= _ROOM else np.empty(2 * size**2, np.float32)
    looks = looks.reshape(2, size, size)
    for coarse, fine in zip(field, looks, strict=True):
        cv2.resize(coarse, (size, size), fine, interpolation=cv2.INTER_LINEAR)
    centre = np.array([moments["m10"], moments["m01"]]) / moments["m00"]
    start = np.round((centre + 0.5) * scale - TILE_SIZE / 2 - shift).astype(int)
    left, top = np.clip(start, 0, size - TILE_SIZE)
    window = looks[:, top : top + TILE_SIZE, left : left + TILE_SIZE]
    cv2.remap(tile, *window, cv2.INTER_LINEAR, result, borderMode=cv2.BORDER_CONSTANT)
