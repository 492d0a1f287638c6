"""What every test stands on."""

from __future__ import annotations

import signal

# A job in the background, or under nohup, is started with these ignored, and so would be what the tests start.
for number, usual in ((signal.SIGINT, signal.default_int_handler), (signal.SIGHUP, signal.SIG_DFL)):
    if signal.getsignal(number) is signal.SIG_IGN:
        signal.signal(number, usual)
