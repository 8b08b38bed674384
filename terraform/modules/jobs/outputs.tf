output "names" {
  description = "Glue's name of each job."
  value       = { for job, glue in aws_glue_job.this : job => glue.name }
}

output "arguments" {
  description = "The arguments Glue starts each job with."
  value       = { for job, glue in aws_glue_job.this : job => glue.default_arguments }
}

output "role_arns" {
  description = "Role of each job."
  value       = { for job, role in aws_iam_role.job : job => role.arn }
}

output "config_url" {
  description = "Where the settings lie."
  value       = "s3://${local.bucket}/${local.config_key}"
}
