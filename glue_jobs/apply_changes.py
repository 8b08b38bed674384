"""The script AWS Glue starts for `apply_changes`. The job itself is in Headrace's wheel."""

import sys

from headrace.glue import main

if __name__ == "__main__":
    main("apply_changes", sys.argv[1:])
