"""Infobip: USSD sessions and SMS both ways, all in JSON."""
