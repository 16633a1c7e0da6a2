"""Speed, memory and growth: the measurements behind docs/performance.md."""
