"""Everything that a killed daemon needs, imported and warmed up once, before all forks."""

import tests.crash.child  # noqa: F401 (it is here to be imported)
from daemon.adapters.sinks.prometheus.metrics import Metrics

Metrics()
