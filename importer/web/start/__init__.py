"""The page Start: the imports as cards, choosing a sheet, and the way to its mapping."""
