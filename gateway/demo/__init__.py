"""The demonstration: everything on one machine, stopped with one key."""
