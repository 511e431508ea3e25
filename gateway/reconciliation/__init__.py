"""Our orders beside the core's books; see README.md."""
