"""Frames with exact truth for the finder: which pixels are a digit's ink, of which digit, and what other writing is."""
