"""Statistics as text: Markdown reports, JSON-ready values, and where their files go."""
