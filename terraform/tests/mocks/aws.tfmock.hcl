mock_data "aws_caller_identity" {
  defaults = { account_id = "111122223333" }
}
mock_data "aws_partition" {
  defaults = { partition = "aws" }
}
mock_data "aws_region" {
  defaults = { name = "eu-west-1" }
}
mock_data "aws_availability_zones" {
  defaults = { names = ["eu-west-1a", "eu-west-1b", "eu-west-1c"] }
}
mock_resource "aws_kms_key" {
  defaults = { arn = "arn:aws:kms:eu-west-1:111122223333:key/0a0a0a0a-0000-4000-8000-000000000000" }
}
mock_resource "aws_iam_role" {
  defaults = { arn = "arn:aws:iam::111122223333:role/mocked" }
}
mock_resource "aws_s3_bucket" {
  defaults = { arn = "arn:aws:s3:::mocked" }
}
mock_resource "aws_kinesis_stream" {
  defaults = { arn = "arn:aws:kinesis:eu-west-1:111122223333:stream/mocked" }
}
mock_resource "aws_sns_topic" {
  defaults = { arn = "arn:aws:sns:eu-west-1:111122223333:mocked" }
}
mock_resource "aws_sqs_queue" {
  defaults = { arn = "arn:aws:sqs:eu-west-1:111122223333:mocked" }
}
mock_resource "aws_cloudwatch_log_group" {
  defaults = { arn = "arn:aws:logs:eu-west-1:111122223333:log-group:mocked" }
}
mock_resource "aws_opensearch_domain" {
  defaults = { arn = "arn:aws:es:eu-west-1:111122223333:domain/mocked", endpoint = "search.mocked" }
}
mock_resource "aws_opensearchserverless_collection" {
  defaults = { arn = "arn:aws:aoss:eu-west-1:111122223333:collection/mocked", collection_endpoint = "https://mocked.aoss" }
}
mock_resource "aws_msk_cluster" {
  defaults = {
    arn                        = "arn:aws:kafka:eu-west-1:111122223333:cluster/mocked/0a0a0a0a-0000-4000-8000-000000000000-1"
    bootstrap_brokers_sasl_iam = "b-1.mocked:9098"
  }
}
mock_resource "aws_msk_serverless_cluster" {
  defaults = {
    arn                        = "arn:aws:kafka:eu-west-1:111122223333:cluster/mocked/0a0a0a0a-0000-4000-8000-000000000000-s1"
    bootstrap_brokers_sasl_iam = "boot.mocked:9098"
  }
}
mock_resource "aws_msk_configuration" {
  defaults = { arn = "arn:aws:kafka:eu-west-1:111122223333:configuration/mocked/0a0a0a0a-0000-4000-8000-000000000000-1", latest_revision = 1 }
}
mock_resource "aws_mskconnect_custom_plugin" {
  defaults = { arn = "arn:aws:kafkaconnect:eu-west-1:111122223333:custom-plugin/mocked/1", latest_revision = 1 }
}
mock_resource "aws_mskconnect_worker_configuration" {
  defaults = { arn = "arn:aws:kafkaconnect:eu-west-1:111122223333:worker-configuration/mocked/1", latest_revision = 1 }
}
mock_resource "aws_dms_replication_instance" {
  defaults = { replication_instance_arn = "arn:aws:dms:eu-west-1:111122223333:rep:MOCKED" }
}
mock_resource "aws_dms_endpoint" {
  defaults = { endpoint_arn = "arn:aws:dms:eu-west-1:111122223333:endpoint:MOCKED" }
}
mock_resource "aws_dms_replication_task" {
  defaults = { replication_task_arn = "arn:aws:dms:eu-west-1:111122223333:task:MOCKEDTASK" }
}
mock_resource "aws_kendra_index" {
  defaults = { arn = "arn:aws:kendra:eu-west-1:111122223333:index/mocked" }
}
mock_resource "aws_dynamodb_table" {
  defaults = { arn = "arn:aws:dynamodb:eu-west-1:111122223333:table/mocked" }
}
mock_resource "aws_cloudwatch_event_rule" {
  defaults = { arn = "arn:aws:events:eu-west-1:111122223333:rule/mocked" }
}
mock_resource "aws_sagemaker_mlflow_tracking_server" {
  defaults = { arn = "arn:aws:sagemaker:eu-west-1:111122223333:mlflow-tracking-server/mocked" }
}
