"""The `chaski` command."""
