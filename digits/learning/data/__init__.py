"""MNIST and own images: found, merged into tiles with fixed splits, audited, augmented."""
