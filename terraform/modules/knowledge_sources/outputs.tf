output "bucket" {
  description = "The bucket of documents: name and ARN; null without."
  value       = one([for bucket in module.documents : { name = bucket.name, arn = bucket.arn }])
}

output "kendra" {
  description = "The Kendra index: id and ARN; null without."
  value       = one([for index in aws_kendra_index.this : { id = index.id, arn = index.arn }])
}
