"""The life of a money order."""
