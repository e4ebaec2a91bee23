"""`python -m xget_sandbox`."""

import sys

from xget_sandbox.main import main

if __name__ == "__main__":
    sys.exit(main())
