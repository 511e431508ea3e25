"""The port to the core ledger, and its adapters."""
