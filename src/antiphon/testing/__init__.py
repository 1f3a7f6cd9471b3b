"""What antiphon gives to those who test with it, or test what they add to it.

virtual_time    an event loop that does not wait: minutes of conversation in milliseconds
transports      what every transport must do, as tests to run on one's own
dialects        what every dialect must do, likewise
framings        what every framing must do, likewise
"""

from antiphon.testing.virtual_time import VirtualTimeLoop, run_virtual

__all__ = ["VirtualTimeLoop", "run_virtual"]
