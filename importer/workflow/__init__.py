"""What needs more than one stage: planning a source, matching its rows, guarding, sending, settling and counting."""
