"""From a fact in the outbox to an SMS on a phone."""
