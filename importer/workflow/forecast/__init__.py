"""What a run will do and what it costs, and the news while it goes on."""
