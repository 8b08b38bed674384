"""AWS Glue starts `index_knowledge` here: Documents become passages in search indexes."""

import sys

from headrace.pipelines.glue import main

if __name__ == "__main__":
    sys.exit(main("index_knowledge", sys.argv[1:]))
