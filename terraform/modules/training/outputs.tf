output "role_arn" {
  description = "Role for SageMaker training jobs."
  value       = aws_iam_role.training.arn
}

output "mlflow_arn" {
  description = "ARN of the MLflow tracking server; null without."
  value       = one(aws_sagemaker_mlflow_tracking_server.this[*].arn)
}
