"""What is written where: from a frame to the ink of each digit."""

# Raised on purpose, whenever a picture gives another tile than before: tiles of pictures are kept under it.
FINDER_VERSION = 2
