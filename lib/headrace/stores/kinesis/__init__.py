"""Amazon Kinesis Data Streams as a source of Spark Structured Streaming, in Python alone: no jar.

    from headrace.stores.kinesis.source import KinesisDataSource

    spark.dataSource.register(KinesisDataSource)
    options = {"streamName": "orders", "region": "eu-west-1"}
    frame = spark.readStream.format("headrace-kinesis").options(**options).load()

Needs pyspark 4.1, pyarrow and boto3; nothing else of Headrace but its errors and its AWS clients.

    source.py      the data source as Spark registers it       options.py    its options, checked
    reader.py      what Spark calls                            positions.py  how a place in a shard is written
    plan.py        from one offset to the next                 bounds.py     where a batch ends in one shard
    gaps.py        what retention deleted before it was read   ranges.py     a range's records, exactly
    api.py         the calls, with their retries               faults.py     what their errors mean
    backoff.py     how long to wait before trying again        put.py        records into a stream
    natives.py     the platforms' own sources instead
"""
