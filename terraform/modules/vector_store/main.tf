locals {
  domain     = try(var.opensearch.mode, "") == "domain"
  serverless = try(var.opensearch.mode, "") == "serverless"
  pgvector   = var.pgvector != null
  ingestion  = var.ingestion != null
  networked  = length(var.subnet_ids) > 0
  store_name = "headrace-${var.context.name}"
  endpoint = local.domain ? "https://${aws_opensearch_domain.this[0].endpoint}" : (
    local.serverless ? aws_opensearchserverless_collection.this[0].collection_endpoint : ""
  )
  writers = concat(var.role_arns, aws_iam_role.ingestion[*].arn)
}
