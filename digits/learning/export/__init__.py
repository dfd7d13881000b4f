"""From a trained network to its export folder: every format, its card, golden pictures, the bundle."""
