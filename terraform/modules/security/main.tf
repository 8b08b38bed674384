# --- The key ---

locals {
  create = var.kms_key_arn == null
  logs   = "logs.${var.context.region}.amazonaws.com"
}

resource "aws_kms_key" "this" {
  count = local.create ? 1 : 0

  description             = "Headrace ${var.context.name}: lake, streams, stores, logs"
  enable_key_rotation     = true
  deletion_window_in_days = var.deletion_days
  tags                    = var.context.tags

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid       = "AccountDecides"
        Effect    = "Allow"
        Principal = { AWS = "arn:${var.context.partition}:iam::${var.context.account_id}:root" }
        Action    = "kms:*" # why: without it nobody can manage the key; IAM policies of this account decide who may
        Resource  = "*"     # why: in a key policy it means this key
      },
      {
        Sid       = "LogsEncrypt"
        Effect    = "Allow"
        Principal = { Service = local.logs }
        Action    = ["kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey", "kms:ReEncryptFrom", "kms:ReEncryptTo"]
        Resource  = "*" # why: in a key policy it means this key
        Condition = {
          ArnLike = {
            "kms:EncryptionContext:aws:logs:arn" = "arn:${var.context.partition}:logs:${var.context.region}:${var.context.account_id}:log-group:*"
          }
        }
      },
      {
        Sid       = "AlarmsPublish"
        Effect    = "Allow"
        Principal = { Service = ["cloudwatch.amazonaws.com", "events.amazonaws.com"] }
        Action    = ["kms:Decrypt", "kms:GenerateDataKey"]
        Resource  = "*" # why: in a key policy it means this key
        Condition = { StringEquals = { "aws:SourceAccount" = var.context.account_id } }
      },
    ]
  })
}

resource "aws_kms_alias" "this" {
  count = local.create ? 1 : 0

  name          = "alias/headrace-${var.context.name}"
  target_key_id = aws_kms_key.this[0].key_id
}

# --- Glue ---

resource "aws_glue_security_configuration" "this" {
  name = "headrace-${var.context.name}"

  encryption_configuration {
    cloudwatch_encryption {
      cloudwatch_encryption_mode = "SSE-KMS"
      kms_key_arn                = local.key_arn
    }

    job_bookmarks_encryption {
      job_bookmarks_encryption_mode = "CSE-KMS"
      kms_key_arn                   = local.key_arn
    }

    s3_encryption {
      s3_encryption_mode = "SSE-KMS"
      kms_key_arn        = local.key_arn
    }
  }
}

locals {
  key_arn = local.create ? aws_kms_key.this[0].arn : var.kms_key_arn
}
