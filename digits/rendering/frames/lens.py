"""The camera of training frames: grey, quick, and harsher than a page's: vignettes, black bars, hard shadows."""

from dataclasses import replace

import cv2
import numpy as np

from digits.rendering.camera import Shot, lamp, motion_kernel, random_shot
from digits.rendering.paper import noise

_LEAST_STEP = 0.06  # of white: between ink and paper, after the exposure


def random_grey_shot(rng: np.random.Generator, detail: float, contrast: float, strength: float = 1.0) -> Shot:
    """Return how a frame is taken.

    Args:
        detail: height of the smallest digits in pixels: what blurs more would hide them from people as well.
        contrast: between ink and paper, as a share of white; noise is limited by it.
    """
    shot = random_shot(rng, detail, strength)
    noisy = min(shot.noise * float(rng.uniform(0.5, 2.0)), 0.3 * contrast * shot.exposure, 0.06)
    vignette = shot.vignette if rng.random() < 0.85 else float(rng.uniform(0.5, 0.85))
    exposure = shot.exposure if rng.random() < 0.9 else float(rng.uniform(0.35, 0.6))
    exposure = min(max(exposure, _LEAST_STEP / contrast), 0.98)
    return replace(shot, noise=noisy, vignette=vignette, exposure=exposure)


def shoot_grey(scene: np.ndarray, rng: np.random.Generator, shot: Shot) -> np.ndarray:
    """Return the frame a camera makes of a scene, float32 (H, W) reflectance: uint8 (H, W)."""
    seen = scene * (lamp(rng, scene.shape, shot) * np.float32(shot.exposure / 0.93))
    if shot.glare:
        seen += np.float32(shot.glare) * _reflection(rng, scene.shape)
    if shot.defocus > 0.25:
        seen = cv2.GaussianBlur(seen, (0, 0), shot.defocus)
    if shot.motion > 1.5:
        seen = cv2.filter2D(seen, -1, motion_kernel(shot.motion, rng.uniform(0, 180)))
    if shot.sharpening:
        seen += np.float32(shot.sharpening) * (seen - cv2.GaussianBlur(seen, (0, 0), 1.3))
    if shot.noise:
        seen += np.float32(shot.noise * (1 - shot.coarse)) * noise(rng, scene.shape)
        seen += np.float32(shot.noise * shot.coarse) * noise(rng, scene.shape, 1.5)
    grey = cv2.convertScaleAbs(np.clip(seen, 0, 1), alpha=255)
    if shot.gamma != 1:
        grey = cv2.LUT(grey, np.rint(255 * (np.arange(256) / 255) ** shot.gamma).astype(np.uint8))
    if shot.quality:
        _, packed = cv2.imencode(".jpg", grey, [cv2.IMWRITE_JPEG_QUALITY, int(shot.quality)])
        grey = cv2.imdecode(packed, cv2.IMREAD_GRAYSCALE)
    return grey


def enlarged(grey: np.ndarray, factor: float, rng: np.random.Generator) -> np.ndarray:
    """Return the frame, uint8 (H, W), as it looks after it was stored `factor` times smaller and enlarged again."""
    size = tuple(max(8, round(side / factor)) for side in grey.shape[::-1])
    small = cv2.resize(grey, size, interpolation=cv2.INTER_AREA if rng.random() < 0.8 else cv2.INTER_NEAREST)
    smooth = cv2.INTER_LINEAR if rng.random() < 0.7 else cv2.INTER_CUBIC
    return cv2.resize(small, grey.shape[::-1], interpolation=smooth)


def _reflection(rng: np.random.Generator, shape: tuple[int, int]) -> np.ndarray:
    """A lamp or a window mirrored in a shiny board: a soft round, or streaks with edges."""
    height, width = shape
    spot = np.zeros((max(4, height // 4), max(4, width // 4)), np.float32)
    for _ in range(int(rng.integers(1, 4))):
        centre = tuple(float(v) for v in rng.uniform(0, 1, 2) * spot.shape[::-1])
        axes = tuple(float(v) for v in np.exp(rng.uniform(np.log(0.06), np.log(0.8), 2)) * max(spot.shape))
        cv2.ellipse(spot, (centre, axes, float(rng.uniform(0, 180))), 1.0, -1, cv2.LINE_AA)
    spot = cv2.GaussianBlur(spot, (0, 0), float(np.exp(rng.uniform(np.log(1), np.log(0.2 * max(spot.shape))))))
    return cv2.resize(spot, (width, height), interpolation=cv2.INTER_LINEAR)
