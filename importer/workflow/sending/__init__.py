"""One request after another: slots, threads, and the attempts to create and update cases."""
