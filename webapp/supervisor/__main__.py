"""`python -m webapp.supervisor`, which is what `make run` calls."""

import sys

from webapp.supervisor.supervisor import main

sys.exit(main())
