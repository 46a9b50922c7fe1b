"""`python -m connect_flows`: the command line `connect-flows`."""

import sys

from connect_flows.cli import main

sys.exit(main())
