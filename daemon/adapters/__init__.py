"""The world outside: each library in one home, behind the ports."""
