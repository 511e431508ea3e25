"""The books on their shelf; see README.md."""
