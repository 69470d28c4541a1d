"""`tickd install-service`: a systemd unit for this machine, and what it says about it."""

import os
import pwd
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from difflib import unified_diff
from pathlib import Path

import daemon
from daemon.app.cli.terminal import Terminal
from daemon.app.config.load import Loaded
from daemon.app.config.settings import Config
from daemon.app.unit_files import (
    Place,
    Spans,
    render_command,
    render_notifier,
    render_service,
    secret_keys,
)
from daemon.core.errors import TickdError

SYSTEM_FOLDER = Path("/etc/systemd/system")
CREDENTIALS = Path("/etc/credstore")
COMMANDS = Path("/usr/local/bin")
HOMES = (Path("/home"), Path("/root"), Path("/run/user"))
USER_NAME_LENGTH_MAX = 31
UNSAFE = frozenset(" \t\n\"'\\%$;")
"""What a path in a unit would have to hide from systemd."""


class InstallError(TickdError):
    """No unit can be written as things are; the text says what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InstallRequest:
    """What kind of unit is wanted, under which name, and into which folder (None: the usual)."""

    name: str = "tickd"
    is_user_unit: bool = False
    into: Path | None = None
    is_dry_run: bool = False
    is_forced: bool = False

    @property
    def folder(self) -> Path:
        if self.into is not None:
            return self.into
        if not self.is_user_unit:
            return SYSTEM_FOLDER
        base = os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config"
        return Path(base) / "systemd" / "user"

    @property
    def command(self) -> Path:
        """Return where the command goes that runs the program as the service's user."""
        return (self.into or COMMANDS) / self.name


def install_service(terminal: Terminal, loaded: Loaded, request: InstallRequest) -> None:
    """Write the units and say what was done and what comes next.

    Raises InstallError where there is nothing to run, something is in the way, or a path cannot
    stand in a unit; nothing is written then.
    """
    place = place_of(loaded, request)
    spans = Spans(
        start_s=loaded.config.daemon.start_timeout_s, stop_s=loaded.config.daemon.stop_timeout_s
    )
    texts = {
        request.folder / f"{request.name}.service": render_service(place, spans),
        request.folder / f"{request.name}-failed.service": render_notifier(place),
    }
    has_command = _has_command(place, request)
    if has_command:
        texts[request.command] = render_command(place)
    if request.is_dry_run:
        for path, text in texts.items():
            terminal.say(_plan(path, text))
        return
    _write(terminal, texts, is_forced=request.is_forced)
    for folder in map(Path, place.writable):
        if not folder.exists():
            _make_folder(folder, place.owner)
            terminal.note(f"made {folder}")
    for line in _summary(place, request, loaded.config):
        terminal.note(line)
    if has_command:
        terminal.note(
            f"then: {request.command} status; it runs every command as the service's user"
        )


def stored_secrets(name: str) -> list[str]:
    """Return the settings that name the secrets which a service called `name` will be given.

    The configuration is judged as the service will see it: without them it may be a fault.
    """
    stored = {key: CREDENTIALS / f"{name}.{key}" for key in secret_keys()}
    return [f"{key}_file={path}" for key, path in stored.items() if os.access(path, os.R_OK)]


def _has_command(place: Place, request: InstallRequest) -> bool:
    """Say whether people need a command of its own to reach the daemon's state.

    They do where its user is made up; the user has the unit's name where that can be one.
    """
    is_made_up = not place.owner and not request.is_user_unit
    can_be_user = request.name[0].isalpha() and len(request.name) <= USER_NAME_LENGTH_MAX
    return is_made_up and can_be_user and str(request.command) != place.command


def place_of(loaded: Loaded, request: InstallRequest) -> Place:
    """Return where the daemon of this command line is. Raises InstallError."""
    if loaded.is_packaged:
        raise InstallError(
            "there is no configuration file to run with: tickd config default > config.toml"
            " writes one, --config names one"
        )
    config = Path(loaded.file_name).absolute()
    command = _command()
    state_dir = loaded.config.daemon.state_dir.expanduser()
    seen = (Path(sys.prefix), Path(sys.base_prefix), _code_folder(), config.parent)
    reasons = [f"{path} is in a home" for path in (*seen, command) if _is_in_home(path)]
    if state_dir.is_absolute():
        reasons.append(f"daemon.state_dir is {state_dir}")
    is_owned = bool(reasons) and not request.is_user_unit
    kept = config.parent / state_dir
    place = Place(
        command=str(command),
        config=str(config),
        state_dir=str(kept) if is_owned or request.is_user_unit else f"%S/{request.name}",
        working_dir=str(config.parent),
        name=request.name,
        owner=_owner_of(config, reasons[0]) if is_owned else "",
        is_user_unit=request.is_user_unit,
        visible=tuple(map(str, _outermost(filter(_is_in_home, seen)))) if is_owned else (),
        writable=(str(kept),) if is_owned else (),
    )
    _check_paths(place)
    return place


def _command() -> Path:
    """Return the program of this environment, by the name it has there."""
    command = Path(sys.executable).absolute().with_name("tickd")
    if not os.access(command, os.X_OK):
        raise InstallError(
            f"{command} is not there: install tickd into this environment first (docs/install.md)"
        )
    return command


def _code_folder() -> Path:
    return Path(daemon.__file__).absolute().parents[1]


def _is_in_home(path: Path) -> bool:
    return any(path.is_relative_to(home) for home in HOMES)


def _outermost(paths: Iterator[Path]) -> list[Path]:
    """Return the paths that lie in none of the others, in order."""
    found = sorted(set(paths))
    return [
        path for path in found if not any(path != one and path.is_relative_to(one) for one in found)
    ]


def _owner_of(config: Path, reason: str) -> str:
    """Return who owns the configuration: for that `reason` the service must run as that user."""
    owner = pwd.getpwuid(config.stat().st_uid).pw_name
    if owner == "root":
        raise InstallError(
            f"{reason}, so the service must run as the owner of {config}, and that is root:"
            " give that file to another user, or install tickd outside of homes, with a relative"
            " daemon.state_dir (docs/install.md)"
        )
    return owner


def _check_paths(place: Place) -> None:
    for path in (place.command, place.config, place.working_dir, *place.visible, *place.writable):
        if UNSAFE & set(path):
            raise InstallError(f"{path!r} cannot stand in a unit: use a path of plain characters")


def _write(terminal: Terminal, texts: Mapping[Path, str], *, is_forced: bool) -> None:
    changed = {path: text for path, text in texts.items() if _content(path) != text}
    in_the_way = [str(path) for path in changed if path.exists() or path.is_symlink()]
    if in_the_way and not is_forced:
        raise InstallError(
            f"{' and '.join(in_the_way)} would be overwritten, and nothing was written:"
            " --dry-run shows the differences, --force writes it anew"
        )
    for path in texts:
        if path not in changed:
            terminal.note(f"{path} is as it should be already")
    for path, text in changed.items():
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            _replace(path, text)
        except PermissionError:
            raise InstallError(
                f"{path.parent} cannot be written by this user: use sudo, or --user for a service"
                " of your own"
            ) from None
        terminal.note(f"wrote {path}")


def _plan(path: Path, text: str) -> str:
    """Return what would be written: the whole text, or its differences from what is there."""
    there = _content(path)
    if there is None:
        return f"# {path}\n{text}"
    if there == text:
        return f"# {path} is as it should be already"
    old, new = there.splitlines(), text.splitlines()
    return "\n".join(unified_diff(old, new, str(path), f"{path}, written anew", lineterm=""))


def _replace(path: Path, text: str) -> None:
    """Put the whole text there or nothing; a link is replaced, not followed."""
    fresh = path.with_name(f".{path.name}.new")
    fresh.write_text(text, encoding="utf-8")
    fresh.chmod(0o755 if text.startswith("#!") else 0o644)
    fresh.replace(path)


def _make_folder(folder: Path, owner: str) -> None:
    """Make the folder that the service writes to: it cannot make one where it sees nothing."""
    folder.mkdir(mode=0o700, parents=True)
    if os.geteuid() == 0:
        account = pwd.getpwnam(owner)
        os.chown(folder, account.pw_uid, account.pw_gid)


def _content(path: Path) -> str | None:
    try:
        return None if path.is_symlink() else path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return None


def _summary(place: Place, request: InstallRequest, config: Config) -> Iterator[str]:
    systemctl = "systemctl --user" if request.is_user_unit else "systemctl"
    whom = "you" if request.is_user_unit else place.owner or "a user that systemd makes for it"
    kept = place.state_dir.replace("%S", "/var/lib")
    yield f"it runs {place.command} as {whom}, with {place.config}; state in {kept}"
    if not place.owner and not request.is_user_unit:
        before = Path(place.working_dir) / config.daemon.state_dir
        if before.is_dir():
            yield f"the state in {before} is not taken along: see docs/install.md"
        yield f"secrets go into {CREDENTIALS}, as files named like {request.name}.exchange.api_key"
    yield f"next: {systemctl} daemon-reload && {systemctl} enable --now {request.name}"
    if request.is_user_unit:
        you = pwd.getpwuid(os.geteuid()).pw_name
        yield f"to run while you are logged out: loginctl enable-linger {you}"
