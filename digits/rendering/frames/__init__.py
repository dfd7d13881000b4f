"""Frames with exact truth for the finder: which pixels are a digit's ink, of which digit, and what other writing is."""

# Raised on purpose, whenever the same seed gives other frames than before: a training that was cut off begins anew.
FRAMES_VERSION = 3
