"""The script AWS Glue starts for `track_feedback`. The job itself is in Headrace's wheel."""

import sys

from headrace.glue import main

if __name__ == "__main__":
    main("track_feedback", sys.argv[1:])
