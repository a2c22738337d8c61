"""Reads a store: results as one tidy table, the state of every cell, predictions, images. Knows no report."""
