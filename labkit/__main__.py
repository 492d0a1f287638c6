"""``python -m labkit`` is ``labkit``."""

import signal
import sys


def main() -> int:
    """Run the command line; returns its exit status."""
    # Ctrl-C during the imports would surface as an error of whichever library is half imported: just end.
    before = signal.getsignal(signal.SIGINT)
    if before is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    from labkit import cli

    signal.signal(signal.SIGINT, before)
    return cli.main()


if __name__ == "__main__":
    sys.exit(main())
