"""What happened, in a few typed kinds, for the programme's figures."""
