"""Who of staff is at the console."""
