"""What a launch will do, from grid, store and table of GPU types: cells, Jobs, hours, dollars. Knows no cluster."""
