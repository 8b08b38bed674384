"""The script AWS Glue starts for `build_profiles`. The job itself is in Headrace's wheel."""

import sys

from headrace.glue import main

if __name__ == "__main__":
    main("build_profiles", sys.argv[1:])
