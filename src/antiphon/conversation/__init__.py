"""What is said and awaited: messages, patterns, the mailbox, and why a wait failed. No I/O, no tasks, no clock."""
