"""Measurements that a user can repeat: speed of training, scale of aggregation and of launching."""
