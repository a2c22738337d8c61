"""Launches a grid: on a Kubernetes cluster, or in worker processes of this machine. The trainer is run as a program and never imported."""
