"""What is planned: every row in the state it has before anything is sent, and what was edited since."""
