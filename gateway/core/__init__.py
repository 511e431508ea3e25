"""The way to a core that is not ours: slow at times, away at times."""
