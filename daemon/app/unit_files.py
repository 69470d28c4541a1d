"""The systemd units of the daemon, as text: those that are shipped, and those for one machine.

Every directive is supported by systemd 252 and has its reason in docs/security.md.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from daemon.app.config.problems import key_text
from daemon.app.config.secret_files import CREDENTIAL_PREFIX
from daemon.app.config.tree import walk
from daemon.app.exit_codes import ExitCode

START_SLACK_S = 90
"""What opening a long journal and importing the exchange's client may take, on a slow machine."""

STOP_STAGES = 3
"""Steps under way, what follows them, and the last alerts: each has the configured time."""

WATCHDOG_S = 30
MEMORY_MAX = "1G"
TASKS_MAX = 256

_SYSTEM_CALLS = """\
SystemCallArchitectures=native
SystemCallFilter=@system-service
SystemCallFilter=~@privileged @resources
SystemCallErrorNumber=EPERM
"""

_FOR_EVERY_MANAGER = f"""\
NoNewPrivileges=yes
UMask=0077
LimitCORE=0
LockPersonality=yes
MemoryDenyWriteExecute=yes
RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
{_SYSTEM_CALLS}"""

_FOR_THE_SYSTEM = """\
CapabilityBoundingSet=
AmbientCapabilities=
ProtectSystem=strict
PrivateTmp=yes
PrivateDevices=yes
PrivateUsers=yes
PrivateIPC=yes
PrivateMounts=yes
ProtectProc=invisible
ProtectKernelTunables=yes
ProtectKernelModules=yes
ProtectKernelLogs=yes
ProtectControlGroups=yes
ProtectClock=yes
ProtectHostname=yes
DevicePolicy=closed
KeyringMode=private
RemoveIPC=yes
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a daemon is on its machine, and as whom it runs.

    `instance` is "%i" in a template. `owner` is empty where the manager invents a user of its own,
    which can be had for a system unit alone. `visible` are folders in homes that it must read,
    `writable` those that it must write: everything else in homes is hidden.
    """

    command: str
    config: str
    state_dir: str
    working_dir: str
    name: str = "tickd"
    instance: str = ""
    owner: str = ""
    is_user_unit: bool = False
    visible: tuple[str, ...] = ()
    writable: tuple[str, ...] = ()

    @property
    def failed_unit(self) -> str:
        """Return the unit that tells of a failure for good."""
        return f"{self.name}-failed@{self.instance}" if self.instance else f"{self.name}-failed"

    @property
    def unit(self) -> str:
        """Return the name of the daemon's own unit, as an instance has it."""
        return f"{self.name}@{self.instance}" if self.instance else self.name


@dataclass(frozen=True, slots=True, kw_only=True)
class Spans:
    """How long a start and a stop may take by the configuration, in seconds."""

    start_s: float = 60.0
    stop_s: float = 20.0


def render_service(place: Place, spans: Spans = Spans()) -> str:
    """Return the unit of the daemon."""
    of_instance = f" ({place.instance})" if place.instance else ""
    refusals = (ExitCode.USAGE, ExitCode.UNAVAILABLE, ExitCode.CONFIG)
    parts = (
        "[Unit]",
        f"Description=tickd, the trading daemon{of_instance}",
        *_network(place),
        "# Too many failures in a row end it, and one message says so.",
        "StartLimitIntervalSec=10min",
        "StartLimitBurst=5",
        f"OnFailure={place.failed_unit}.service",
        "",
        "[Service]",
        "Type=notify",
        "NotifyAccess=main",
        f"ExecStart={place.command} run",
        # A shell has `kill` built in; a small machine has no program of that name.
        """ExecReload=/bin/sh -c 'kill -HUP "$MAINPID"'""",
        *_surroundings(place),
        "",
        "# Ready once every task has ticked or is known not to; alive while loop, supervisor and",
        "# disk move. A stale market is told in the status and by alerts, never by a restart.",
        f"TimeoutStartSec={round(spans.start_s) + START_SLACK_S}",
        f"WatchdogSec={WATCHDOG_S}",
        "TimeoutAbortSec=10",
        f"TimeoutStopSec={round(spans.stop_s * STOP_STAGES) + WATCHDOG_S}",
        "Restart=on-failure",
        "RestartSec=5",
        "# A wrong command line, an exchange that refuses for good, an impossible configuration.",
        f"RestartPreventExitStatus={' '.join(str(code.value) for code in refusals)}",
        "",
        f"MemoryMax={MEMORY_MAX}",
        f"TasksMax={TASKS_MAX}",
        "OOMPolicy=stop",
        "",
        *_hardening(place),
        "[Install]",
        f"WantedBy={'default.target' if place.is_user_unit else 'multi-user.target'}",
    )
    return "\n".join(parts) + "\n"


def render_notifier(place: Place) -> str:
    """Return the unit that tells people that the daemon failed for good."""
    parts = (
        "[Unit]",
        f"Description=Tell that {place.unit} has failed",
        "",
        "[Service]",
        "Type=oneshot",
        f"ExecStart={place.command} report-failure {place.unit}.service",
        *_surroundings(place),
        "TimeoutStartSec=60",
        "MemoryMax=512M",
        "TasksMax=32",
        "",
        *_hardening(place),
    )
    return "\n".join(parts).rstrip("\n") + "\n"


def render_command(place: Place) -> str:
    """Return a shell script that is the daemon's program as its service runs it, for root.

    The state of a user that the manager makes up can be reached in no other way: not even by
    root, whose files the daemon could not read. Only for a service with such a user.
    """
    surroundings = [line for line in _surroundings(place) if not line.startswith("#")]
    properties = [f"User={place.name}", "UMask=0077", "NoNewPrivileges=yes", *surroundings]
    # What is asked for at run time has no specifiers.
    given = (f"    --property={line.replace('%S', '/var/lib')} \\\n" for line in properties)
    run = "systemd-run --quiet --collect --wait --pty --pipe --service-type=exec"
    return (
        f"#!/bin/sh\n# The program of {place.unit}.service as its user, with what it is given.\n"
        f"exec {run} \\\n    --setenv=TERM --setenv=COLUMNS \\\n"
        f'{"".join(given)}    {place.command} "$@"\n'
    )


def _network(place: Place) -> Sequence[str]:
    if place.is_user_unit:
        return ()
    return ("Wants=network-online.target", "After=network-online.target time-sync.target")


def _surroundings(place: Place) -> Sequence[str]:
    """Return who it is, where it is, and what it is given."""
    lines = [
        f"WorkingDirectory={place.working_dir}",
        f"Environment=TICKD_CONFIG={place.config}",
        f"Environment=TICKD__DAEMON__STATE_DIR={place.state_dir}",
    ]
    if place.is_user_unit:
        return lines
    stored = f"{place.unit.replace('@', '-')}."
    lines += [
        "# A secret is a file in /etc/credstore of this name; one that is not there is left out.",
        *(f"LoadCredential={CREDENTIAL_PREFIX}{key}:{stored}{key}" for key in secret_keys()),
    ]
    if place.owner:
        return [f"User={place.owner}", *lines]
    folder = place.unit.replace("@", "-")
    return ["DynamicUser=yes", f"StateDirectory={folder}", "StateDirectoryMode=0700", *lines]


def secret_keys() -> tuple[str, ...]:
    """Return the key of every setting that is a secret."""
    return tuple(key_text(setting.path) for setting in walk() if setting.is_secret)


def _hardening(place: Place) -> Sequence[str]:
    if place.is_user_unit:
        return (_FOR_EVERY_MANAGER,)
    if not place.owner:
        home = "ProtectHome=yes\n"
    else:
        seen = "".join(f"BindReadOnlyPaths={path}\n" for path in place.visible)
        kept = "".join(f"BindPaths={path}\n" for path in place.writable)
        home = f"ProtectHome=tmpfs\n{seen}{kept}"
    return (_FOR_EVERY_MANAGER + _FOR_THE_SYSTEM + home,)


STANDARD = Place(
    command="/opt/tickd/bin/tickd",
    config="/etc/tickd/config.toml",
    state_dir="%S/tickd",
    working_dir="/etc/tickd",
)
INSTANCE = Place(
    command="/opt/tickd/bin/tickd",
    config="/etc/tickd/%i.toml",
    state_dir="%S/tickd-%i",
    working_dir="/etc/tickd",
    instance="%i",
)


def shipped_units() -> Mapping[str, str]:
    """Return the text of every shipped unit, by its file name."""
    return MappingProxyType(
        {
            "tickd.service": render_service(STANDARD),
            "tickd@.service": render_service(INSTANCE),
            "tickd-failed.service": render_notifier(STANDARD),
            "tickd-failed@.service": render_notifier(INSTANCE),
        }
    )
