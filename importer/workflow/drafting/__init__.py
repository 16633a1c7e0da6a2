"""A sheet before it has a mapping: what it shows, and earlier imports whose mapping fits it."""
