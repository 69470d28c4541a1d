"""What the exit code of `tickd` says. The numbers are those of sysexits.h where it has one."""

from enum import IntEnum


class ExitCode(IntEnum):
    """Each code, with what a supervisor should do about it."""

    OK = 0
    """All is well."""

    FINDINGS = 1
    """The question was answered, and the answer is bad: unhealthy, or a check failed."""

    USAGE = 2
    """The command line is wrong. Trying again does not help."""

    DISHONEST = 3
    """`tickd lookahead` ran, and caught the strategy: it knows what it must not know."""

    UNAVAILABLE = 69
    """No daemon answers, or the exchange refuses for good."""

    INTERNAL = 70
    """A bug in tickd. Run it again with --debug and report what it prints."""

    TEMPORARY = 75
    """Try again later: the state folder is in use by another daemon, or the network is away."""

    CONFIG = 78
    """The configuration cannot be used. Trying again does not help until a person changes it."""

    INTERRUPTED = 130
    """Stopped by Ctrl-C before the command was done."""
