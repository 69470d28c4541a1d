"""The sandbox exchange's server: Binance spot's public protocol on a loopback port."""
