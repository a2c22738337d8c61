"""Figures: the paper's forms and further ones. Each takes results and returns a picture; none reads or writes anything."""
