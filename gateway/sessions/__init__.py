"""The short memory of conversations."""
