"""Whether the SIM of a number was changed lately."""
