"""Chaski: a USSD and SMS banking gateway for a cooperative's members on plain phones."""

__version__ = "0.1.0"
