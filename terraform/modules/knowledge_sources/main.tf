# --- Documents ---

module "documents" {
  source = "../bucket"
  count  = var.documents ? 1 : 0

  context                = var.context
  name                   = "${var.bucket_prefix}-documents"
  kms_key_arn            = var.kms_key_arn
  enforce_tls            = var.enforce_tls
  force_destroy          = var.force_destroy
  log_to                 = var.access_logs
  log_bucket             = var.log_bucket
  keep_old_versions_days = 30
}

# Capture makes a rule of its own for each bucket it listens to; the bucket only has to tell EventBridge.
resource "aws_s3_bucket_notification" "documents" {
  count = var.documents && var.events ? 1 : 0

  bucket      = module.documents[0].name
  eventbridge = true
}

# --- Kendra ---

resource "aws_kendra_index" "this" {
  count = var.kendra != null ? 1 : 0

  name     = "headrace-${var.context.name}"
  edition  = var.kendra.edition
  role_arn = aws_iam_role.kendra[0].arn
  tags     = var.context.tags

  server_side_encryption_configuration {
    kms_key_id = var.kms_key_arn
  }
}

resource "aws_iam_role" "kendra" {
  count = var.kendra != null ? 1 : 0

  name = "headrace-${var.context.name}-kendra"
  tags = var.context.tags

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "kendra.amazonaws.com" }
      Action    = "sts:AssumeRole"
      Condition = { StringEquals = { "aws:SourceAccount" = var.context.account_id } }
    }]
  })
}

resource "aws_iam_role_policy" "kendra" {
  count = var.kendra != null ? 1 : 0

  name = "logs"
  role = aws_iam_role.kendra[0].id

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid       = "KendraMetrics"
        Effect    = "Allow"
        Action    = "cloudwatch:PutMetricData"
        Resource  = "*" # why: PutMetricData knows no resources; the condition names the namespace
        Condition = { StringEquals = { "cloudwatch:namespace" = "AWS/Kendra" } }
      },
      {
        Sid    = "KendraLogs"
        Effect = "Allow"
        Action = ["logs:CreateLogGroup", "logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"]
        Resource = [
          "arn:${var.context.partition}:logs:${var.context.region}:${var.context.account_id}:log-group:/aws/kendra/*",
        ]
      },
    ]
  })
}
