"""History: candles as columns, the backtest, and what is built on it."""
