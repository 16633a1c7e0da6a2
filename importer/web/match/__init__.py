"""The page Match columns: which column goes where, and what its values mean."""
