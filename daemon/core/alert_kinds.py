"""The names of alerts: a configuration knows them without all that alerts are made of."""

from typing import Literal

AlertKind = Literal[
    "started",
    "stopped",
    "command",
    "signal_scheduled",
    "signal_opened",
    "signal_closed",
    "signal_cancelled",
    "partial_profit",
    "partial_loss",
    "risk_refused",
    "error",
    "exit",
]
"""Every kind: the name under which the log tells the same."""

AlertLevel = Literal["info", "notice", "warning", "critical"]
"""How much an alert matters. A critical one is worth waking a person for."""
