"""What a launch will do, from the grid, the store and a table of GPU types: cells, Jobs, hours, dollars."""
