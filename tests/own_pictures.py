"""Small pictures that stand for MNIST and for a user's own photographs."""

from pathlib import Path

import cv2
import numpy as np

from digits.learning.data.mnist import Mnist
from digits.rendering.handwriting import draw_digit


def draw(digit: int, seed: int, size: int = 28) -> np.ndarray:
    """Return a white digit on black, of another hand for each seed."""
    return draw_digit(digit, np.random.default_rng([digit, seed]), size)


def small_mnist(train: int, test: int) -> Mnist:
    """Return so many pictures to train on and to test with, 0 to 9 in turn."""
    images = np.stack([draw(k % 10, k if k < train else 1000 + k - train) for k in range(train + test)])
    labels = np.array([k % 10 for k in (*range(train), *range(test))], np.uint8)
    return Mnist(images[:train], labels[:train], images[train:], labels[train:])


def photo(digit: int, seed: int) -> np.ndarray:
    """Return a grey photograph 240 x 320 of the digit in dark pen on paper with uneven light."""
    ink = np.zeros((240, 320), np.float32)
    ink[60:188, 96:224] = draw(digit, seed, 128) / 255
    paper = np.linspace(200, 235, 320, dtype=np.float32) + np.random.default_rng(seed).normal(0, 2, ink.shape)
    return np.clip(paper - 160 * ink, 0, 255).astype(np.uint8)


def save(path: Path, content: np.ndarray | bytes, *options) -> Path:
    """Write a picture, or bytes as they are, its folder included, and return its path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    is_picture = isinstance(content, np.ndarray)
    path.write_bytes(cv2.imencode(path.suffix.lower(), content, *options)[1].tobytes() if is_picture else content)
    return path
