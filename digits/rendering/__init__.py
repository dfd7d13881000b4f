"""What handwriting looks like to a camera, with exact truth: pens, paper, pages, clips (NumPy and OpenCV)."""
