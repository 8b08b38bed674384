output "documentdb" {
  description = "DocumentDB: id, endpoint and the secret with its password; null without."
  value = one([for cluster in aws_docdb_cluster.this : {
    id         = cluster.cluster_identifier
    endpoint   = cluster.endpoint
    secret_arn = try(cluster.master_user_secret[0].secret_arn, "")
  }])
}

output "dynamodb_arns" {
  description = "ARN of each table by its short name."
  value       = { for name, table in aws_dynamodb_table.this : name => table.arn }
}

output "dynamodb_names" {
  description = "Full name of each table by its short name."
  value       = { for name, table in aws_dynamodb_table.this : name => table.name }
}

output "neptune" {
  description = "Neptune: id, endpoint and the ARN its connect permission names; null without."
  value = one([for cluster in aws_neptune_cluster.this : {
    id       = cluster.cluster_identifier
    endpoint = cluster.endpoint
    data_arn = "arn:${var.context.partition}:neptune-db:${var.context.region}:${var.context.account_id}:${cluster.cluster_resource_id}/*"
  }])
}
