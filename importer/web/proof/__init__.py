"""The page about the proof of an import: the CRM is asked for its cases, and the hand-over says what it showed."""
