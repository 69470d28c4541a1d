"""Where announcements and alerts go: logs, metrics, other programs."""
