"""Every rule of tickd, pure: no I/O, no clock, no asyncio, no third-party library."""
