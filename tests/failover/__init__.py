"""Two PostgreSQL on one machine, one copying the other, and what becomes of money when one dies."""
