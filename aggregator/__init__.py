"""Tables, figures, statistics and a report from the results of a store. Knows nothing of TensorFlow or Kubernetes."""

from aggregator.load import load as load
from experiment.needs import require_packages

require_packages("aggregator", "pyarrow", "numpy", "pandas", "matplotlib", "scipy", "jinja2")
