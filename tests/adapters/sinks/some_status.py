"""A daemon's status, for tests that show one."""

from dataclasses import replace

from daemon.ports import DaemonStatus, SinkStatus, TaskStatus


def a_task(symbol: str = "BTC/USDT", strategy: str = "breakout", **changes: object) -> TaskStatus:
    task = TaskStatus(
        symbol=symbol,
        strategy_name=strategy,
        state="active",
        condition="running",
        is_ready=True,
        reason="",
        price=101.0,
        price_age_s=0.5,
        tick_age_s=0.25,
        last_decision_ms=1_700_000_000_000,
        next_ask_ms=None,
        restarts=2,
        signal_id="s1",
        position="long",
        price_open=100.0,
        price_take_profit=102.0,
        price_stop_loss=99.0,
        percent_tp=50.0,
        percent_sl=0.0,
        is_paused=False,
        is_blocked=False,
    )
    return replace(task, **changes)  # type: ignore[arg-type]  # fields by name


def a_status(*tasks: TaskStatus, **changes: object) -> DaemonStatus:
    status = DaemonStatus(
        version="1.2.3",
        exchange="sandbox",
        mode="signal",
        market_time_ms=1_700_000_000_000,
        speed=60.0,
        uptime_s=12.5,
        loop_lag_s=0.001,
        is_live=True,
        is_ready=True,
        reasons=(),
        open_count=1,
        waiting_count=0,
        tasks=tasks,
        sinks=(SinkStatus(name="log", sent=5, dropped=1, failed=2, queued=3),),
        orphans=("ETH/USDT/gone",),
    )
    return replace(status, **changes)  # type: ignore[arg-type]  # fields by name
