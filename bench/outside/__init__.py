"""Load tools of others, each in an environment of its own, which is made when they are asked for."""
