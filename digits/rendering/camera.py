"""A camera and its light: what lies between a sheet of paper and the frame a program gets."""

from dataclasses import dataclass

import cv2
import numpy as np

from digits.rendering.paper import noise

GRID = 4  # light is smooth: computed at a quarter of the frame's width and height


@dataclass(frozen=True)
class Shot:
    """How one frame is taken."""

    gradient: float = 0.0  # how much the light falls off across the frame (0.5: half)
    vignette: float = 0.0  # darkening of the corners
    shadow: float = 0.0  # darkening inside a cast shadow; 0 for none
    shadow_softness: float = 0.1  # width of its edge as a share of the frame
    glare: float = 0.0  # brightness added in the middle of a reflection
    exposure: float = 0.9  # brightness of the paper, 1 being white
    gamma: float = 1.0  # of the tone curve
    warmth: float = 0.0  # positive for yellow lamps, negative for blue daylight
    tint: float = 0.0  # positive for green, negative for magenta
    defocus: float = 0.0  # standard deviation of the blur in pixels
    motion: float = 0.0  # length of the motion blur in pixels
    noise: float = 0.0  # standard deviation, as a share of white
    coarse: float = 0.3  # share of the noise that comes in blotches, as cheap webcams' noise filters leave it
    sharpening: float = 0.0  # how strongly the camera sharpens
    quality: int = 0  # of the JPEG; 0 for none


def random_shot(rng: np.random.Generator, detail: float, strength: float = 1.0) -> Shot:
    """Return a camera, a room and a moment.

    Args:
        detail: height of the digits in pixels: blur is limited by it, so that a person could still read them.
        strength: 0 for a scanner, 1 for what phones and webcams do.
    """
    u = rng.random(12)
    some = strength * (rng.random(8) < (0.75, 0.5, 0.4, 0.15, 0.6, 0.5, 0.18, 0.35))
    dim = rng.random() < 0.13 * strength
    return Shot(
        gradient=0.7 * some[0] * u[0] ** 2,
        vignette=0.45 * some[1] * u[1],
        shadow=some[2] * (0.08 + 0.5 * u[2]),
        shadow_softness=float(np.exp(rng.uniform(np.log(0.01), np.log(0.35)))),
        glare=0.4 * some[3] * u[3],
        exposure=0.98 - strength * (0.4 * u[4] ** 1.3 + 0.3 * dim),
        gamma=float(np.exp(0.3 * strength * (2 * u[5] - 1))),
        warmth=0.14 * some[4] * (2 * u[6] - 1),
        tint=0.05 * some[4] * (2 * u[7] - 1),
        defocus=some[5] * u[8] ** 2 * min(0.03 * detail, 3.5) + 0.4 * u[9],
        motion=some[6] * u[10] * min(0.08 * detail, 9),
        noise=strength * (0.002 + (0.035 if dim else 0.014) * u[11] ** 2),
        coarse=rng.random(),
        sharpening=1.2 * some[7] * rng.random(),
        quality=int(rng.integers(35, 98)) if rng.random() < 0.7 * strength else 0,
    )


def lamp(rng: np.random.Generator, shape: tuple[int, int], shot: Shot) -> np.ndarray:
    """Return the light on each pixel, float32 (H, W), about 1: lamp gradient, vignette and cast shadow."""
    height, width = max(4, shape[0] // GRID), max(4, shape[1] // GRID)
    y, x = np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j].astype(np.float32)
    direction = rng.uniform(0, 2 * np.pi)
    ramp = np.float32(np.cos(direction)) * x + np.float32(np.sin(direction)) * y
    light = 1 - shot.gradient * (0.5 + 0.36 * ramp) ** (1 if rng.random() < 0.5 else 2)
    light *= 1 - shot.vignette * 0.5 * (x * x + y * y)
    if shot.shadow:
        light *= 1 - shot.shadow * _shadow(rng, (height, width), shot.shadow_softness)
    return cv2.resize(light.astype(np.float32), (shape[1], shape[0]), interpolation=cv2.INTER_LINEAR)


def _shadow(rng: np.random.Generator, shape: tuple[int, int], softness: float) -> np.ndarray:
    """Return float32 `shape`, 1 in the shadow: of an edge, a hand or a head, of a phone's corner."""
    height, width = shape
    mask = np.zeros(shape, np.float32)
    size = max(shape)
    kind = rng.integers(3)
    if kind == 0:  # an edge across the frame
        angle, middle = rng.uniform(0, 2 * np.pi), rng.uniform(0.1, 0.9, 2) * (width, height)
        along, across = np.array([np.cos(angle), np.sin(angle)]), np.array([-np.sin(angle), np.cos(angle)])
        corners = np.array([middle - 2 * size * along, middle + 2 * size * along])
        corners = np.concatenate([corners, corners[::-1] + 3 * size * across])
        cv2.fillPoly(mask, [corners.astype(np.int32)], 1.0, cv2.LINE_AA)
    elif kind == 1:  # round things that reach in from the side
        for _ in range(int(rng.integers(1, 5))):
            side = rng.choice([-0.1, 1.1]) if rng.random() < 0.8 else rng.random()
            centre = rng.permutation([side, rng.random()]) * (width, height)
            axes = rng.uniform(0.1, 0.55, 2) * size
            cv2.ellipse(mask, (tuple(centre), tuple(2 * axes), rng.uniform(0, 180)), 1.0, -1, cv2.LINE_AA)
    else:  # a polygon
        centre = rng.uniform(-0.1, 1.1, 2) * (width, height)
        corners = centre + rng.uniform(-0.7, 0.7, (4, 2)) * size
        cv2.fillConvexPoly(mask, cv2.convexHull(corners.astype(np.int32)), 1.0, cv2.LINE_AA)
    return cv2.GaussianBlur(mask, (0, 0), max(0.5, softness * size / 2))


def shoot(scene: np.ndarray, rng: np.random.Generator, shot: Shot, light: np.ndarray | None = None) -> np.ndarray:
    """Return the frame a camera makes of a scene.

    Args:
        scene: float32 (3, H, W) reflectance in [0, 1] (blue, green, red).
        light: what `lamp` returned, where it stays from frame to frame; a new one if None.
    Returns:
        uint8 (H, W, 3), BGR.
    """
    shape = scene.shape[1:]
    balance = np.array([1 - shot.warmth, 1 + shot.tint, 1 + shot.warmth], np.float32) * np.float32(shot.exposure / 0.93)
    light = lamp(rng, shape, shot) if light is None else light
    seen = scene * (light * balance[:, None, None])
    if shot.glare:
        seen += np.float32(shot.glare) * _reflection(rng, shape)
    frame = cv2.merge(list(seen))
    if shot.defocus > 0.25:
        frame = cv2.GaussianBlur(frame, (0, 0), shot.defocus)
    if shot.motion > 1.5:
        frame = cv2.filter2D(frame, -1, motion_kernel(shot.motion, rng.uniform(0, 180)))
    if shot.sharpening:
        frame += np.float32(shot.sharpening) * (frame - cv2.GaussianBlur(frame, (0, 0), 1.3))
    if shot.noise:
        add_noise(frame, rng, shot.noise, shot.coarse)
    return develop(frame, shot)


def _reflection(rng: np.random.Generator, shape: tuple[int, int]) -> np.ndarray:
    y, x = np.mgrid[0 : 1 : shape[0] * 1j, 0 : 1 : shape[1] * 1j].astype(np.float32)
    cx, cy = rng.uniform(0, 1, 2)
    rx, ry = rng.uniform(0.1, 0.5, 2)
    return np.exp(-(((x - cx) / rx) ** 2) - ((y - cy) / ry) ** 2).astype(np.float32)


def motion_kernel(length: float, angle: float) -> np.ndarray:
    """Return the float32 kernel that smears over `length` pixels at `angle` degrees."""
    side = 2 * int(np.ceil(length / 2)) + 1
    kernel, middle = np.zeros((side, side), np.float32), side // 2
    reach = np.array([np.cos(np.radians(angle)), np.sin(np.radians(angle))]) * length / 2
    ends = np.rint((middle + np.array([-reach, reach])) * 16).astype(np.int32)
    cv2.line(kernel, tuple(ends[0].tolist()), tuple(ends[1].tolist()), 1.0, 1, cv2.LINE_AA, 4)
    return kernel / kernel.sum()


def add_noise(frame: np.ndarray, rng: np.random.Generator, deviation: float, coarse: float) -> None:
    """Add sensor noise to a float32 (H, W, 3) frame in place: brightness noise, and blotches of colour."""
    shape = frame.shape[:2]
    brightness = np.float32(deviation * (1 - coarse)) * noise(rng, shape)
    brightness += np.float32(deviation * coarse) * noise(rng, shape, 1.5)
    blotches = np.float32(0.35 * deviation) * noise(rng, shape, 1.5)
    frame += cv2.merge([brightness + blotches, brightness, brightness - blotches])


def develop(frame: np.ndarray, shot: Shot) -> np.ndarray:
    """Return uint8 (H, W, 3) of a float32 frame in [0, 1]: tone curve, eight bits, JPEG."""
    np.clip(frame, 0, 1, out=frame)
    eight_bits = cv2.convertScaleAbs(frame, alpha=255)
    if shot.gamma != 1:
        curve = np.rint(255 * (np.arange(256) / 255) ** shot.gamma).astype(np.uint8)
        eight_bits = cv2.LUT(eight_bits, curve)
    return jpeg(eight_bits, shot.quality) if shot.quality else eight_bits


def jpeg(frame: np.ndarray, quality: int) -> np.ndarray:
    """Return the frame after saving it as JPEG of `quality` (1 to 100) and loading it again."""
    done, packed = cv2.imencode(".jpg", frame, [cv2.IMWRITE_JPEG_QUALITY, int(quality)])
    return cv2.imdecode(packed, cv2.IMREAD_COLOR)
