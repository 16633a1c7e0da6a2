"""The page Look back: what became of a sheet, its report, its runs, and the files that hold personal data."""
