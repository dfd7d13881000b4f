"""What is written where: from a frame to the ink of each digit."""
