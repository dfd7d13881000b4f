"""What handwriting looks like to a camera, with exact truth: pens, paper, pages, clips (NumPy and OpenCV)."""

# Raised on purpose, whenever a seed gives other pictures than before: what is made of renderings is kept under it.
RENDERING_VERSION = 2
