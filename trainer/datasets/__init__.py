"""The data sets: fetched, checked, split and put into the store once; loaded from it verified, into shared memory."""

from experiment.prepared import Manifest as Manifest
from trainer.datasets.dataset import load as load
from trainer.datasets.overrides import Settings as Settings
from trainer.datasets.preparation import prepare as prepare
