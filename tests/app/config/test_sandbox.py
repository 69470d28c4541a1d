"""The defaults of the settings are those of the sandbox itself."""

from daemon.app.config.sandbox import SandboxSection
from daemon.simulation.generator import default_specs
from daemon.simulation.server.pusher import PUSH_INTERVAL_S


def test_the_default_pairs_are_those_of_the_sandbox() -> None:
    pairs = SandboxSection().pairs
    specs = default_specs()

    assert len(pairs) == len(specs)
    for pair, spec in zip(pairs, specs, strict=True):
        for name, value in pair.model_dump().items():
            assert value == getattr(spec, name), (pair.symbol, name)


def test_the_default_push_interval_is_that_of_the_sandbox() -> None:
    assert SandboxSection().push_interval_ms / 1000 == PUSH_INTERVAL_S
