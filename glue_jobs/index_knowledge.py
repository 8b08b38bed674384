"""The script AWS Glue starts for `index_knowledge`. The job itself is in Headrace's wheel."""

import sys

from headrace.glue import main

if __name__ == "__main__":
    main("index_knowledge", sys.argv[1:])
