"""What runs at the desk: building the dataset, training, evaluating and exporting the networks."""
