"""A loopback Fineract: only the endpoints that the adapter calls, with their traps and faults."""
