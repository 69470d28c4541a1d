"""Finding a sandbox of another process: its address, and a clock that goes with its own."""

import pytest

from daemon.core.errors import FatalError
from daemon.simulation.server.client import SandboxAddress, address_of, ask_clock, parse_address
from tests.simulation.server.conftest import NOW_MS

ROUND_TRIP_S_MAX = 5.0


@pytest.mark.parametrize(("host", "port"), [("127.0.0.1", 8090), ("::1", 80), ("sandbox", 65_535)])
def test_an_address_is_found_again_in_its_root(host: str, port: int) -> None:
    address = address_of(host, port)

    assert parse_address(address.root_url) == address


@pytest.mark.parametrize("url", ["", "127.0.0.1:8090", "http://127.0.0.1", "http://:8090"])
def test_what_names_no_host_and_port_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="names no host and port"):
        parse_address(url)


async def test_the_clock_has_the_sandboxes_time_and_speed(address: SandboxAddress) -> None:
    clock = await ask_clock(address)

    assert clock.speed == 100.0
    assert NOW_MS <= clock.now_ms() <= NOW_MS + ROUND_TRIP_S_MAX * 1000 * clock.speed


async def test_where_no_sandbox_answers_the_remedy_is_told() -> None:
    with pytest.raises(FatalError, match="start one with `tickd sandbox --port PORT`"):
        await ask_clock(address_of("127.0.0.1", 9))
