"""Staff's web pages."""
