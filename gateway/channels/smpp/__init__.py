"""An operator's own line: USSD and SMS over SMPP 3.4."""
