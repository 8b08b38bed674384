output "kms_key_arn" {
  description = "The key everything is encrypted with."
  value       = local.key_arn
}

output "glue_security_configuration" {
  description = "Name of the Glue security configuration of all jobs."
  value       = aws_glue_security_configuration.this.name
}
