"""What runs beside one another in containers: hardened, for this machine alone, secrets by file."""

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from daemon.app.config.sections import DaemonSection
from daemon.app.config.tree import walk
from daemon.app.unit_files import MEMORY_MAX, STOP_STAGES, TASKS_MAX

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
COMPOSE: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
DOCKERFILE = (DEPLOY / "Dockerfile").read_text()
SECRET = re.compile(r"PASSWORD|PASSWD|TOKEN|SECRET|CREDENTIAL|(?<![A-Z])KEY|API_KEY")
FORBIDDEN = frozenset(
    {
        *("privileged", "network_mode", "cap_add", "devices", "device_cgroup_rules"),
        *("pid", "ipc", "userns_mode", "cgroup", "uts", "env_file", "sysctls"),
    }
)
"""What a container would share with its machine, or take from a file of variables."""


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_q17_every_container_is_hardened(name: str) -> None:
    service = SERVICES[name]

    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["init"] is True
    assert re.fullmatch(r"[1-9]\d*:\d+", service["user"]), "a number that is not root's"
    assert all("noexec" in mount for mount in service["tmpfs"])
    assert service["pids_limit"]
    assert service["mem_limit"]
    assert FORBIDDEN.isdisjoint(service)


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_every_container_is_run_well(name: str) -> None:
    service = SERVICES[name]

    assert service["restart"] == "unless-stopped"
    assert service["logging"]["options"] == {"max-size": "10m", "max-file": "5"}
    assert service["stop_grace_period"]


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_q17_every_image_is_of_one_version(name: str) -> None:
    service = SERVICES[name]

    if "build" not in service:
        assert re.fullmatch(r"[a-z0-9./-]+:v?\d+\.\d+\.\d+", service["image"])


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_q17_every_port_is_for_this_machine_alone(name: str) -> None:
    assert SERVICES[name]["ports"]
    for port in SERVICES[name]["ports"]:
        assert re.fullmatch(r"127\.0\.0\.1:\d+:\d+", port)


def test_q17_nobody_is_given_the_engine_or_the_machine() -> None:
    text = (DEPLOY / "compose.yaml").read_text()

    assert "docker.sock" not in text
    assert "containerd.sock" not in text
    for service in SERVICES.values():
        for mount in service["volumes"]:
            assert isinstance(mount, str), "the long form would be looked at nowhere here"
            assert not mount.startswith(("/", "~", ".."))


@pytest.mark.parametrize("word", sorted(FORBIDDEN))
def test_q17_no_default_of_all_gives_away_what_no_container_may_have(word: str) -> None:
    assert word not in COMPOSE["x-hardened"]


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_every_file_that_is_mounted_is_shipped_and_read_only(name: str) -> None:
    for mount in SERVICES[name]["volumes"]:
        source, target, *options = mount.split(":")
        if source.startswith("./"):
            assert (DEPLOY / source).exists(), mount
            assert options == ["ro"], mount
            assert "docker.sock" not in target
        else:
            assert source in COMPOSE["volumes"]


def test_a_stop_has_the_time_that_the_configuration_gives_it() -> None:
    stop_s = DaemonSection().stop_timeout_s * STOP_STAGES

    assert int(SERVICES["tickd"]["stop_grace_period"].removesuffix("s")) >= stop_s


def test_p6_p14_memory_and_tasks_have_the_ceilings_of_the_unit() -> None:
    tickd = SERVICES["tickd"]

    assert tickd["mem_limit"] == MEMORY_MAX.lower()
    assert tickd["pids_limit"] == TASKS_MAX
    assert tickd["ulimits"]["core"] == 0


def test_q17_no_secret_is_in_a_variable() -> None:
    for name, service in SERVICES.items():
        for variable in service.get("environment", {}):
            is_secret = SECRET.search(variable)
            assert not is_secret or variable.endswith("__FILE"), f"{name}: {variable}"


def test_q17_no_secret_is_in_a_layer_or_in_the_history_of_the_image() -> None:
    joined = DOCKERFILE.replace("\\\n", " ")
    lines = re.findall(r"(?m)^(?:ENV|ARG|LABEL) (.*)$", joined)
    words = [word.partition("=")[0] for line in lines for word in line.split() if "=" in word]

    assert {"BASE", "HOME", "TICKD__HTTP__HOST", "CREDENTIALS_DIRECTORY"} <= set(words)
    # That one says where secrets will be put, by whoever runs it.
    assert [word for word in words if SECRET.search(word)] == ["CREDENTIALS_DIRECTORY"]
    secrets = {"__".join(("TICKD", *each.path)).upper() for each in walk() if each.is_secret}
    assert secrets
    assert [name for name in secrets if name in DOCKERFILE] == []
    assert not re.search(r"(?m)^ADD |https?://|curl |wget ", DOCKERFILE)
    copied = re.findall(r"(?m)^COPY (?:--\S+ )*(.*) \S+$", DOCKERFILE)
    assert not [name for name in copied if re.search(r"secret|\.env|\.pem|token", name)]


def test_the_secrets_of_the_comments_are_settings() -> None:
    named = set(re.findall(r"tickd\.([a-z_.]+)(?=[,\]:])", (DEPLOY / "compose.yaml").read_text()))

    assert named
    assert named <= {".".join(setting.path) for setting in walk() if setting.is_secret}


def test_q17_the_image_runs_as_a_number_and_without_a_shell() -> None:
    final = DOCKERFILE.split("FROM ${BASE}\n")[-1]

    assert "USER 10001:10001" in final
    assert 'ENTRYPOINT ["/opt/tickd/bin/tickd"]' in final
    assert 'CMD ["/opt/tickd/bin/tickd", "healthcheck", "--live"]' in final
    assert "RUN " not in final
    assert re.findall(r"(?m)^USER .*$", DOCKERFILE) == ["USER 10001:10001"]
    assert re.findall(r"(?m)^ARG BASE=(.*)$", DOCKERFILE) == ["docker.io/library/python:3.11-slim"]
    assert set(re.findall(r"(?m)^FROM (\S+)", DOCKERFILE)) == {"${BASE}"}
    assert "--require-hashes -r requirements.lock" in DOCKERFILE


def test_q17_nothing_gets_into_an_image_unnamed() -> None:
    lines = (ROOT / ".dockerignore").read_text().splitlines()
    rules = [line for line in lines if line and not line.startswith("#")]

    assert rules[0] == "*"
    copied = {
        word
        for line in re.findall(r"(?m)^COPY (?!--)(.*) \S+$", DOCKERFILE)
        for word in line.split()
    }
    assert {rule.removeprefix("!") for rule in rules if rule.startswith("!")} == copied


def test_the_dashboards_are_where_grafana_looks_for_them() -> None:
    provider = yaml.safe_load((DEPLOY / "grafana/provisioning/dashboards/tickd.yml").read_text())
    path = provider["providers"][0]["options"]["path"]

    assert f"./grafana/dashboards:{path}:ro" in SERVICES["grafana"]["volumes"]


def test_the_heartbeat_is_never_silenced() -> None:
    config = yaml.safe_load((DEPLOY / "alertmanager/alertmanager.yml").read_text())

    for rule in config["inhibit_rules"]:
        assert 'severity!="none"' in rule["target_matchers"]
    assert config["route"]["routes"][0]["receiver"] == "heartbeat"


@pytest.mark.skipif(shutil.which("amtool") is None, reason="needs amtool")
def test_alertmanager_takes_its_configuration() -> None:
    checked = subprocess.run(
        ["amtool", "check-config", str(DEPLOY / "alertmanager/alertmanager.yml")],
        capture_output=True,
        text=True,
        check=False,
    )

    assert checked.returncode == 0, checked.stderr
