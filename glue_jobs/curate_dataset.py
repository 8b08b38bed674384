"""The script AWS Glue starts for `curate_dataset`. The job itself is in Headrace's wheel."""

import sys

from headrace.glue import main

if __name__ == "__main__":
    main("curate_dataset", sys.argv[1:])
