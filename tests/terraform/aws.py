"""What makes clients and Spark use the emulators."""

from collections.abc import Mapping

from servers.kinesis import KinesisServer


def environment(moto: str, kinesis: KinesisServer) -> dict[str, str]:
    """What boto3, pyarrow and deltalake read. moto's own Kinesis cannot be read: its sequence numbers are 1, 2, 3."""
    return {
        "AWS_ENDPOINT_URL": moto, "AWS_ENDPOINT_URL_KINESIS": kinesis.url, "AWS_REGION": "eu-west-1",
        "AWS_DEFAULT_REGION": "eu-west-1", "AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b",
        "AWS_EC2_METADATA_DISABLED": "true", "AWS_ALLOW_HTTP": "true",
    }  # fmt: skip


def s3a(environ: Mapping[str, str]) -> dict[str, str]:
    """What Glue has of itself, for an emulated S3."""
    return {
        "spark.hadoop.fs.s3.impl": "org.apache.hadoop.fs.s3a.S3AFileSystem",
        "spark.hadoop.fs.AbstractFileSystem.s3.impl": "org.apache.hadoop.fs.s3a.S3A",
        "spark.hadoop.fs.s3a.endpoint": environ["AWS_ENDPOINT_URL"],
        "spark.hadoop.fs.s3a.endpoint.region": environ["AWS_REGION"],
        "spark.hadoop.fs.s3a.path.style.access": "true",
        "spark.hadoop.fs.s3a.connection.ssl.enabled": "false",
        "spark.hadoop.fs.s3a.aws.credentials.provider": "org.apache.hadoop.fs.s3a.SimpleAWSCredentialsProvider",
        "spark.hadoop.fs.s3a.access.key": environ["AWS_ACCESS_KEY_ID"],
        "spark.hadoop.fs.s3a.secret.key": environ["AWS_SECRET_ACCESS_KEY"],
    }
