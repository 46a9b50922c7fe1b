"""`python -m connect_sandbox`: the command line `connect-sandbox`."""

import sys

from connect_sandbox.cli import main

sys.exit(main())
