output "database" {
  description = "Name of the catalog database."
  value       = aws_glue_catalog_database.this.name
}

output "workgroup" {
  description = "The Athena workgroup; null without."
  value       = one(aws_athena_workgroup.this[*].name)
}
