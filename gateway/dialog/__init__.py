"""The conversation as data and pure functions."""
