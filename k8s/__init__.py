"""Launches a grid: on a Kubernetes cluster, or in worker processes of this machine. The trainer is run as a program and never imported."""

from experiment.needs import require_packages

require_packages("k8s", "pyarrow", "numpy")  # of a launch on this machine
