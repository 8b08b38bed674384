# --- Role of training jobs ---

resource "aws_iam_role" "training" {
  name = "headrace-${var.context.name}-training"
  tags = var.context.tags

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "sagemaker.amazonaws.com" }
      Action    = "sts:AssumeRole"
      Condition = { StringEquals = { "aws:SourceAccount" = var.context.account_id } }
    }]
  })
}

resource "aws_iam_role_policy" "training" {
  name = "train"
  role = aws_iam_role.training.id

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = concat([
      {
        Sid      = "ReadDatasets"
        Effect   = "Allow"
        Action   = "s3:GetObject"
        Resource = concat(["${var.lake_bucket.arn}/lake/datasets/exports/*"], [for arn in var.dataset_folders : "${arn}/*"])
      },
      {
        Sid       = "ListDatasets"
        Effect    = "Allow"
        Action    = "s3:ListBucket"
        Resource  = var.lake_bucket.arn
        Condition = { StringLike = { "s3:prefix" = ["lake/datasets/exports/*", "models/*"] } }
      },
      ], [for at, arn in var.dataset_folders : {
        Sid       = "ListDatasets${at + 1}"
        Effect    = "Allow"
        Action    = "s3:ListBucket"
        Resource  = split("/", arn)[0]
        Condition = { StringLike = { "s3:prefix" = ["${trimprefix(arn, "${split("/", arn)[0]}/")}/*"] } }
      }], [
      {
        Sid      = "WriteModels"
        Effect   = "Allow"
        Action   = ["s3:AbortMultipartUpload", "s3:GetObject", "s3:PutObject"]
        Resource = "${var.lake_bucket.arn}/models/*"
      },
      {
        Sid      = "Decrypt"
        Effect   = "Allow"
        Action   = ["kms:Decrypt", "kms:GenerateDataKey"]
        Resource = var.kms_key_arn
      },
      {
        Sid      = "TrainingLogs"
        Effect   = "Allow"
        Action   = ["logs:CreateLogGroup", "logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"]
        Resource = "arn:${var.context.partition}:logs:${var.context.region}:${var.context.account_id}:log-group:/aws/sagemaker/TrainingJobs:*"
      },
      {
        Sid       = "TrainingMetrics"
        Effect    = "Allow"
        Action    = "cloudwatch:PutMetricData"
        Resource  = "*" # why: PutMetricData knows no resources; the condition names the namespace
        Condition = { StringLike = { "cloudwatch:namespace" = "/aws/sagemaker/*" } }
      },
      ], [for arn in aws_sagemaker_mlflow_tracking_server.this[*].arn : {
        Sid      = "Mlflow"
        Effect   = "Allow"
        Action   = local.mlflow_actions
        Resource = arn
    }])
  })
}

locals {
  mlflow_actions = [
    "sagemaker-mlflow:AccessUI", "sagemaker-mlflow:CreateExperiment", "sagemaker-mlflow:CreateRun",
    "sagemaker-mlflow:GetExperiment", "sagemaker-mlflow:GetExperimentByName", "sagemaker-mlflow:GetRun",
    "sagemaker-mlflow:ListArtifacts", "sagemaker-mlflow:LogBatch", "sagemaker-mlflow:LogInputs",
    "sagemaker-mlflow:LogMetric", "sagemaker-mlflow:LogModel", "sagemaker-mlflow:LogParam",
    "sagemaker-mlflow:SearchRuns", "sagemaker-mlflow:SetTag", "sagemaker-mlflow:UpdateRun",
  ]
}

# --- MLflow ---

resource "aws_sagemaker_mlflow_tracking_server" "this" {
  count = var.mlflow != null ? 1 : 0

  tracking_server_name         = "headrace-${var.context.name}"
  tracking_server_size         = var.mlflow.size
  artifact_store_uri           = "s3://${var.lake_bucket.name}/mlflow"
  role_arn                     = aws_iam_role.mlflow[0].arn
  automatic_model_registration = false
  tags                         = var.context.tags
}

resource "aws_iam_role" "mlflow" {
  count = var.mlflow != null ? 1 : 0

  name = "headrace-${var.context.name}-mlflow"
  tags = var.context.tags

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "sagemaker.amazonaws.com" }
      Action    = "sts:AssumeRole"
      Condition = { StringEquals = { "aws:SourceAccount" = var.context.account_id } }
    }]
  })
}

resource "aws_iam_role_policy" "mlflow" {
  count = var.mlflow != null ? 1 : 0

  name = "artifacts"
  role = aws_iam_role.mlflow[0].id

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid      = "Artifacts"
        Effect   = "Allow"
        Action   = ["s3:AbortMultipartUpload", "s3:DeleteObject", "s3:GetObject", "s3:PutObject"]
        Resource = "${var.lake_bucket.arn}/mlflow/*"
      },
      {
        Sid       = "ListArtifacts"
        Effect    = "Allow"
        Action    = "s3:ListBucket"
        Resource  = var.lake_bucket.arn
        Condition = { StringLike = { "s3:prefix" = ["mlflow", "mlflow/*"] } }
      },
      {
        Sid      = "Encrypt"
        Effect   = "Allow"
        Action   = ["kms:Decrypt", "kms:GenerateDataKey"]
        Resource = var.kms_key_arn
      },
    ]
  })
}
