"""The page Send: what will happen, the questions, and the run while it goes on."""
