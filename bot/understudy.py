"""`numlet run` for as long as whoever started it lives: `python -m bot.understudy`, with a pipe as its input.

Nobody is left to stop a bot on stage whose demo was killed, and nobody would know that it still runs.
"""

import os
import signal
import sys
import threading

from bot.cli import main


def _end_with_whoever_started_it() -> None:
    """The system closes the pipe, however the other side ends."""
    os.read(sys.stdin.fileno(), 1)
    os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    threading.Thread(target=_end_with_whoever_started_it, daemon=True).start()
    sys.argv[1:] = ["run"]
    main()
