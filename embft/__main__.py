"""``python -m embft``."""

import sys

from embft.entry import main

if __name__ == "__main__":  # whoever imports all modules of the package wants no run
    sys.exit(main())
