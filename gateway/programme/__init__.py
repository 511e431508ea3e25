"""The programme's figures, and what they assume."""
