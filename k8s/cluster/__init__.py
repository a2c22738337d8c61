"""Everything that talks to a cluster or reads what one says."""
