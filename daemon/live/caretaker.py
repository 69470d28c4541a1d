"""What stands in for a strategy that is gone: it watches and never asks."""

from daemon.core.strategy import Answer, Strategy, View


class Caretaker(Strategy):
    """Watches what is open where the strategy itself is gone or cannot be made; never asks."""

    def get_signal(self, view: View) -> Answer:
        """Return None: whatever is open is only monitored to its end."""
        del view
        return None
