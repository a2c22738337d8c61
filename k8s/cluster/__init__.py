"""Everything that talks to a cluster or reads what one says."""

from experiment.needs import require_packages

require_packages("k8s", "kubernetes", "yaml", "jinja2")
