"""The identifiers of rows: when two are equal, which look alike, and what is known of them from before."""
