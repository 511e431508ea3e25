"""What a Fineract calls: its web hooks, and the service that sends its SMS campaigns."""
