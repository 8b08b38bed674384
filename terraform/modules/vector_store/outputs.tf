output "endpoint" {
  description = "URL of OpenSearch; empty without."
  value       = local.endpoint
}

output "domain" {
  description = "The OpenSearch domain: name and ARN; null without."
  value       = one([for domain in aws_opensearch_domain.this : { name = domain.domain_name, arn = domain.arn }])
}

output "collection_arn" {
  description = "ARN of the Serverless collection; null without."
  value       = one(aws_opensearchserverless_collection.this[*].arn)
}

output "pgvector" {
  description = "Aurora: id, endpoint, the ARN its connect permission names; null without."
  value = one([for cluster in aws_rds_cluster.pgvector : {
    id          = cluster.cluster_identifier
    endpoint    = cluster.endpoint
    connect_arn = "arn:${var.context.partition}:rds-db:${var.context.region}:${var.context.account_id}:dbuser:${cluster.cluster_resource_id}/headrace_jobs"
  }])
}
