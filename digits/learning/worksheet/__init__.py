"""A printed sheet with boxes for the ten digits, and what people wrote into it as labelled own images."""
