"""A cooperative with life in it: three months of two thousand members who do not exist."""
