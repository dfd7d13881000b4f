"""The live window: sources, the loop, tracking, drawing, keys, and pictures that are kept."""
