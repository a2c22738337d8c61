"""Launches a grid: on a Kubernetes cluster, or in worker processes of this machine. Never imports the trainer: it runs it."""

from experiment.needs import require_packages

require_packages("k8s", "pyarrow", "numpy")  # of a launch on this machine
