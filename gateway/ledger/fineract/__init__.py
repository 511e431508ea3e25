"""Apache Fineract (Mifos X) as the core ledger."""
