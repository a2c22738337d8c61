"""Trains one cell: a collaborative ensemble of image classifiers. The only importer of TensorFlow."""

from trainer import environment as environment  # first: it decides what the libraries will read when they are imported
