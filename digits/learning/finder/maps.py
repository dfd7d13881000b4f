"""What the finder's answer is made of; nothing here needs Keras, so that rendering processes start quickly."""

STRIDE = 4  # pixels of the frame from one place of the maps to the next
FINE = 4  # a place's ink has this many rows and columns
HEADS = ("centre", "other", "size", "dx", "dy")  # the first planes; FINE x FINE of ink follow
