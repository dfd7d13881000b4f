"""Digits: read handwritten digits held up to a webcam, with a network trained at home."""
