"""The page Correct: what is wrong with a sheet, and how it is put right without touching the sheet."""
