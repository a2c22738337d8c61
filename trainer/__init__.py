"""Trains one cell: a collaborative ensemble of image classifiers. The only importer of TensorFlow."""
