"""Figures: the paper's forms and our own. Each takes results and gives a picture; none reads or writes anything."""
