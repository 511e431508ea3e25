"""Every parser and every webhook, fed with what nobody would send."""
