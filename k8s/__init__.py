"""Launches a grid: on a Kubernetes cluster, or in worker processes of this machine. Never imports the trainer: it runs it."""
