"""How fast, how large, how steady: every figure of docs/performance.md, and the commands that make it."""
