output "vpc_id" {
  description = "The VPC; null without a network."
  value       = local.vpc_id
}

output "subnet_ids" {
  description = "Private subnets."
  value       = local.subnets
}

output "security_group_ids" {
  description = "The group of jobs and stores; empty without a network."
  value       = aws_security_group.inside[*].id
}

output "client_security_group_ids" {
  description = "The same and those of yours: what jobs, DMS and MSK Connect are in; empty without a network."
  value       = concat(aws_security_group.inside[*].id, local.on ? var.settings.security_group_ids : [])
}

output "glue_connections" {
  description = "Names of the connections every job gets."
  value       = aws_glue_connection.network[*].name
}
