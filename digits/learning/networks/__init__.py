"""The seven networks, layer by layer, and where their starting weights come from."""
