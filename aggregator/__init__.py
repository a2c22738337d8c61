"""Tables, figures, statistics and a report from the results of a store. Knows nothing of TensorFlow or Kubernetes."""

from aggregator.load import load as load
