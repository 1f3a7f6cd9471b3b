"""One run's event loop: deadlines, awaitables, deadlocks, call sites. What knows CPython and asyncio inside is here."""
