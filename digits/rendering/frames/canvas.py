"""A sheet, board or wall under construction, with the truth of what is written on it; then a frame of it.

All is grey: the finder sees no colour. Reflectance is float32 in [0, 1]; masks are uint8, 255 where a pen covers all of
a pixel.
"""

from dataclasses import dataclass, field

import cv2
import numpy as np

from digits.box import Box
from digits.rendering.paper import noise

_INKED = 100  # of 255: the digit owns a pixel from this cover on
_LUMINANCE = np.array([0.11, 0.59, 0.30])  # of blue, green, red


@dataclass(frozen=True)
class Mark:
    """What a pen, chalk or printer leaves: `tone` reflectance, `opacity` and `grain` of the line, all in [0, 1]."""

    tone: float
    opacity: float = 1.0
    grain: float = 0.0


@dataclass(frozen=True)
class Frame:
    """A picture with its truth.

    Attributes:
        grey: uint8 (H, W).
        ink: uint8 (H, W), how much of each pixel is covered by a digit's ink, as a share of 255.
        owner: int16 (H, W), 1 + index of the digit whose ink it is, 0 for none.
        boxes: of each digit's ink in pixels; those of digits out of sight are empty.
        labels: the digits.
        seen: share of each digit's ink that lies within the picture, 0 to 1.
        others: boxes of other writing: letters, signs, crossings-out.
    """

    grey: np.ndarray
    ink: np.ndarray
    owner: np.ndarray
    boxes: list[Box]
    labels: list[int]
    seen: list[float]
    others: list[Box]


@dataclass
class Canvas:
    """What is drawn so far.

    Attributes:
        paper: float32 (H, W) reflectance; scenes draw lines, print and pictures straight onto it.
        ink, owner: as in `Frame`.
        labels: of the digits written so far.
        boxes: float (x, y, right, bottom) of their ink.
        others: float (x, y, right, bottom) of other writing.
    """

    paper: np.ndarray
    ink: np.ndarray = field(init=False)
    owner: np.ndarray = field(init=False)
    labels: list[int] = field(default_factory=list)
    boxes: list[tuple[float, float, float, float]] = field(default_factory=list)
    areas: list[float] = field(default_factory=list)
    others: list[tuple[float, float, float, float]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.ink = np.zeros(self.paper.shape, np.uint8)
        self.owner = np.zeros(self.paper.shape, np.int16)

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels."""
        return self.paper.shape[1], self.paper.shape[0]

    def digit(self, mask: np.ndarray, label: int, x: int, y: int, mark: Mark, rng: np.random.Generator) -> None:
        """Write a digit.

        Args:
            mask: uint8 (h, w), its ink at its final size.
            x, y: where the mask's left upper pixel comes; it may reach over the canvas' sides.
        """
        whole = cv2.convertScaleAbs(mask, alpha=255 / max(1, int(mask.max())))  # where it is, however fine the line
        self.labels.append(label)
        self.boxes.append(_ink_box(whole, x, y))
        self.areas.append(float(np.count_nonzero(whole > _INKED)))
        inside = self._paint(mask, x, y, mark, rng)
        if inside is None:
            return
        top, left, window = inside
        height, width = self.ink[window].shape
        part = whole[top : top + height, left : left + width]
        own = part > _INKED
        np.maximum(self.ink[window], part, out=self.ink[window])
        self.owner[window][own] = len(self.labels)

    def other(self, mask: np.ndarray, x: int, y: int, mark: Mark, rng: np.random.Generator) -> None:
        """Write something that is no digit: a letter, a sign, a scribble."""
        self.others.append(_ink_box(mask, x, y))
        self._paint(mask, x, y, mark, rng)

    def _paint(self, mask: np.ndarray, x: int, y: int, mark: Mark, rng: np.random.Generator):
        """Cover the paper; return the mask's first row and column on the canvas, and their window there, or None."""
        height, width = self.paper.shape
        left, top = max(0, -x), max(0, -y)
        right, bottom = min(mask.shape[1], width - x), min(mask.shape[0], height - y)
        if right <= left or bottom <= top:
            return None
        part, window = mask[top:bottom, left:right], np.s_[y + top : y + bottom, x + left : x + right]
        cover_paper(self.paper[window], part, mark, rng)
        return top, left, window


def cover_paper(paper: np.ndarray, mask: np.ndarray, mark: Mark, rng: np.random.Generator) -> None:
    """Lay a mark onto paper, float32 (H, W), in place, where the mask, uint8 (H, W), is."""
    cover = mask * np.float32(mark.opacity / 255)
    if mark.grain > 0.05:  # the paper's teeth: pencil and chalk skip
        teeth = noise(rng, mask.shape, 0.0 if rng.random() < 0.5 else 1.5)
        cover *= np.clip(1 - mark.grain * (0.35 + 0.5 * teeth), 0.1, 1)
    paper += cover * (np.float32(mark.tone) - paper)


def tone(colour: np.ndarray) -> float:
    """Return how bright a colour (blue, green, red; reflectance) is."""
    return float(colour @ _LUMINANCE)


def view(canvas: Canvas, matrix: np.ndarray, size: tuple[int, int], behind: np.ndarray | None = None
         ) -> tuple[np.ndarray, Frame]:
    """Return the scene, float32 (H, W) reflectance, that shows the canvas through `matrix`, and its truth.

    Args:
        matrix: 3x3, from the canvas' pixels to those of the scene.
        size: width and height of the scene.
        behind: float32 (H, W), what is seen beside the canvas; None: the paper goes on.
    The frame's `grey` is empty until a camera takes it.
    """
    border = cv2.BORDER_REPLICATE if behind is None else cv2.BORDER_CONSTANT
    scene = cv2.warpPerspective(canvas.paper, matrix, size, flags=cv2.INTER_LINEAR, borderMode=border)
    if behind is not None:
        cover = cv2.warpPerspective(np.ones(canvas.paper.shape, np.float32), matrix, size)
        scene += (1 - cover) * behind
    ink = cv2.warpPerspective(canvas.ink, matrix, size)
    owner = cv2.warpPerspective(canvas.owner, matrix, size, flags=cv2.INTER_NEAREST)
    frame = Frame(np.empty((0, 0), np.uint8), ink, owner, *_boxes(canvas, matrix, owner),
                  [_through(box, matrix) for box in canvas.others])
    return scene, frame


def _boxes(canvas: Canvas, matrix: np.ndarray, owner: np.ndarray) -> tuple[list[Box], list[int], list[float]]:
    boxes, seen = [], []
    height, width = owner.shape
    for index, (box, area) in enumerate(zip(canvas.boxes, canvas.areas, strict=True), 1):
        rough = _through(box, matrix).grown(2)
        window = Box.between(max(0, rough.x), max(0, rough.y), min(width, rough.right), min(height, rough.bottom))
        own = (owner[window.window] == index).astype(np.uint8) if window.area else np.zeros((1, 1), np.uint8)
        count = int(np.count_nonzero(own))
        x, y, w, h = cv2.boundingRect(own)
        boxes.append(Box(window.x + x, window.y + y, w, h) if count else Box(0, 0, 0, 0))
        middle = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
        seen.append(min(1.0, count / max(1.0, area * _zoom(matrix, middle))))
    return boxes, list(canvas.labels), seen


def _zoom(matrix: np.ndarray, point: tuple[float, float]) -> float:
    """Return by how much `matrix` enlarges an area at a point."""
    corners = np.array([point, (point[0] + 1, point[1]), (point[0], point[1] + 1)], np.float32).reshape(-1, 1, 2)
    origin, across, down = cv2.perspectiveTransform(corners, matrix).reshape(3, 2)
    return abs(float((across - origin)[0] * (down - origin)[1] - (across - origin)[1] * (down - origin)[0]))


def _through(box: tuple[float, float, float, float], matrix: np.ndarray) -> Box:
    x, y, right, bottom = box
    corners = np.array([(x, y), (right, y), (right, bottom), (x, bottom)], np.float32).reshape(-1, 1, 2)
    points = cv2.perspectiveTransform(corners, matrix).reshape(-1, 2)
    return Box.between(*np.floor(points.min(0)).astype(int).tolist(), *np.ceil(points.max(0)).astype(int).tolist())


def _ink_box(mask: np.ndarray, x: int, y: int) -> tuple[float, float, float, float]:
    left, top, w, h = cv2.boundingRect((mask > _INKED).astype(np.uint8))
    return float(x + left), float(y + top), float(x + left + w), float(y + top + h)
