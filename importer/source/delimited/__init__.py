"""Text tables: their encoding, their delimiter, their records and cells, and what is wrong with them."""
