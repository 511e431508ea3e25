"""The whole gateway as real processes, killed again and again while phones dial."""
