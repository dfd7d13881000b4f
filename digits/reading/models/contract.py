"""What every model here takes and gives: tiles in, ten probabilities out."""

from digits.reading.tile import TILE_SIZE

CLASSES = 10
LABELS = [str(digit) for digit in range(CLASSES)]
INPUT_SHAPE = (TILE_SIZE, TILE_SIZE, 3)
