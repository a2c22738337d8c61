"""The executor of this machine: warm worker processes, one for each GPU or core."""
