output "lake" {
  description = "What `lake:` is in the settings."
  value       = module.lake.url
}

output "config" {
  description = "Where the settings of the jobs lie."
  value       = module.jobs.config_url
}

output "jobs" {
  description = "Glue's name of each job."
  value       = module.jobs.names
}

output "job_arguments" {
  description = "The arguments Glue starts each job with."
  value       = module.jobs.arguments
}

output "job_roles" {
  description = "Role of each job."
  value       = module.jobs.role_arns
}

output "streams" {
  description = "Full name of each Kinesis stream."
  value       = module.streams.names
}

output "documents" {
  description = "Bucket of documents; null without."
  value       = try(module.knowledge_sources.bucket.name, null)
}

output "catalog" {
  description = "Glue database and Athena workgroup of the lake."
  value       = { database = module.catalog.database, workgroup = module.catalog.workgroup }
}

output "endpoints" {
  description = "Addresses of the stores; empty for those that are not there."
  value = {
    opensearch = module.vector_store.endpoint
    pgvector   = try(module.vector_store.pgvector.endpoint, "")
    documentdb = try(module.profile_store.documentdb.endpoint, "")
    neptune    = try(module.profile_store.neptune.endpoint, "")
    kafka      = module.streams.kafka_servers
  }
}

output "dynamodb" {
  description = "Full name of each table of DynamoDB, as `table` in the settings, and its ARN: who looks up needs GetItem and BatchGetItem on it, and on served rows Query on <ARN>/index/*."
  value       = { for name, arn in module.profile_store.dynamodb_arns : name => { table = module.profile_store.dynamodb_names[name], arn = arn } }
}

output "security_group" {
  description = "The group of jobs, stores, DMS and MSK Connect: a database's own group must let it in. Null without a network."
  value       = one(module.network.security_group_ids)
}

output "training_role" {
  description = "Role for SageMaker training jobs; null without."
  value       = one(module.training[*].role_arn)
}

output "alarms" {
  description = "The topic alarms go to, and their names."
  value       = { topic = module.observability.topic_arn, names = module.observability.alarms }
}

output "dashboard" {
  description = "Name of the dashboard; null without."
  value       = module.observability.dashboard
}
