"""A strategy that opens a position and never comes near its levels, for checks of what is kept."""

from daemon import Signal, Strategy, View


class Holder(Strategy):
    interval = "1m"

    def get_signal(self, view: View) -> Signal:
        return Signal(
            position="long",
            price_take_profit=view.price * 1.5,
            price_stop_loss=view.price * 0.82,
            minute_estimated_time=1440,
        )
