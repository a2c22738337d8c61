"""The networks and their training: from a cell and a data set to figures, logits and weights. Knows no store and no keys."""
