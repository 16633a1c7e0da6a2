"""What came of a run: its reasons, its numbers, its report, and what is to be done next."""
