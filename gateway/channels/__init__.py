"""How networks talk."""
