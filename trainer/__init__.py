"""Trains one cell: a collaborative ensemble of image classifiers. The only importer of TensorFlow."""

from experiment.needs import require_packages
from trainer import environment as environment  # first: it decides what the libraries read when they are imported

require_packages("trainer", "numpy", "pyarrow")
