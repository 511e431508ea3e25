"""One channel for the many: an aggregator's dialect over HTTP is described in a file."""
