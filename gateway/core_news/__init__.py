"""What the core lets us know, and what it asks us to send; see README.md."""
