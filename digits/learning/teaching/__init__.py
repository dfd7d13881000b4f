"""The user's own pictures into the last layers of a trained network."""
