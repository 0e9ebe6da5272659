"""`python -m webapp.supervisor`, which is what `make run` calls."""

import signal
import sys

# Nothing is started yet: until something is, Ctrl+C simply ends this process.
signal.signal(signal.SIGINT, signal.SIG_DFL)

from webapp.supervisor.supervisor import main  # noqa: E402

sys.exit(main())
