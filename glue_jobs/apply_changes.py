"""AWS Glue starts `apply_changes` here: Change events become ordered Delta tables."""

import sys

from headrace.pipelines.glue import main

if __name__ == "__main__":
    sys.exit(main("apply_changes", sys.argv[1:]))
