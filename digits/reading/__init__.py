"""What runs at the camera: numpy, opencv and one small runtime; never TensorFlow at import."""
