"""A minute's thousand messages through one worker: see scripts/load-sms."""
