"""What the computer gives: files and their locks, clocks, shells, the signals that stop a program."""
