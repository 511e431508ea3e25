"""Who did what, so that nobody can say otherwise afterwards."""
