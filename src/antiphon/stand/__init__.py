"""Where the system under test lives: addresses, users, variables."""
