"""The same scenario as thousands of conversations at once: what a load is, and when each of its parts is due."""
