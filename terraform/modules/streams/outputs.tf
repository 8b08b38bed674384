output "arns" {
  description = "ARN of each Kinesis stream by its short name."
  value       = { for name, stream in aws_kinesis_stream.this : name => stream.arn }
}

output "names" {
  description = "Full name of each Kinesis stream by its short name."
  value       = { for name, stream in aws_kinesis_stream.this : name => stream.name }
}

output "kafka_arn" {
  description = "ARN of the MSK cluster; null without."
  value       = one(concat(aws_msk_cluster.this[*].arn, aws_msk_serverless_cluster.this[*].arn))
}

output "kafka_servers" {
  description = "Brokers for IAM clients; empty without MSK."
  value = join("", concat(
    aws_msk_cluster.this[*].bootstrap_brokers_sasl_iam,
    aws_msk_serverless_cluster.this[*].bootstrap_brokers_sasl_iam,
  ))
}
