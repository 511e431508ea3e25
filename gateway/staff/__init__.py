"""What a branch's or an agent's own system asks over HTTP."""
