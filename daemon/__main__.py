"""`python -m daemon` is `tickd`."""

from daemon.app.cli import main

if __name__ == "__main__":
    main()
