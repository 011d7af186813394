#!/usr/bin/env python
"""The operator's door to every command: `manage.py help` lists them."""

import signal


def main() -> None:
    # Ctrl-C while modules load ends the process at once: there is nothing to stop yet.
    if signal.getsignal(signal.SIGINT) == signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    from backoffice.lib import console  # noqa: PLC0415 (see above)

    console.main()


if __name__ == "__main__":
    main()
