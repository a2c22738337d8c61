"""An experiment: its cells, grids and results, and the store that holds them. No TensorFlow, no Kubernetes."""
