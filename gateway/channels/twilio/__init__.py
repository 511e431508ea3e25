"""Twilio: SMS in and out, by the official library."""
