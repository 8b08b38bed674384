output "bucket" {
  description = "The lake's bucket: name and ARN."
  value       = { name = module.lake.name, arn = module.lake.arn }
}

output "code" {
  description = "The bucket of code and settings: name and ARN."
  value       = { name = module.code.name, arn = module.code.arn }
}

output "log_bucket" {
  description = "The bucket of access logs; null without."
  value       = one(module.logs[*].name)
}

output "url" {
  description = "What `lake:` is in the settings."
  value       = "s3://${module.lake.name}/lake"
}

output "bucket_prefix" {
  description = "What the names of the buckets begin with."
  value       = local.prefix
}
