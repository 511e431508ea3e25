"""Africa's Talking, and the many gateways that copy its USSD callback."""
