"""The data sets: each is fetched, checked, split and put into the store once. Every worker loads it from there, verified."""

from experiment.prepared import Manifest as Manifest
from trainer.datasets.dataset import load_dataset as load_dataset
from trainer.datasets.overrides import Overrides as Overrides
from trainer.datasets.preparation import prepare_dataset as prepare_dataset
