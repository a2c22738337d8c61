"""What an experiment is: cells, grids, results and the store they land in. Knows nothing of TensorFlow or Kubernetes."""
