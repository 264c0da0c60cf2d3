"""``python -m embft``."""

import sys

from embft.entry import main

sys.exit(main())
