"""Doubtful rows: asking the CRM, or a person, what became of them."""
