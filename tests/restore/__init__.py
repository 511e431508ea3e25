"""The restore drill: a base backup and the archived log become the books of a chosen moment."""
