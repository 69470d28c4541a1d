"""Other processes that work for this one: fed, copied, and never left behind."""
