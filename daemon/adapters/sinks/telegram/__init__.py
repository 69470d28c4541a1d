"""Telegram: alerts to a chat, and commands from it.

Four methods of the Bot API over aiohttp, which is here anyway, in place of a library: nothing to
import for who does not use it, no traceback or log line of somebody else's that holds the token,
and time-outs, retries and pace that are ours to prove.
"""
