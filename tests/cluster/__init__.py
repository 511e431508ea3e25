"""A Redis Cluster on the loopback interface, and what becomes of members while a node dies."""
