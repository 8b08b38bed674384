# --- OpenSearch Ingestion: from the stream of embeddings into the index ---

resource "aws_osis_pipeline" "this" {
  count = local.ingestion ? 1 : 0

  pipeline_name = substr(local.store_name, 0, 28)
  min_units     = var.ingestion.min_units
  max_units     = var.ingestion.max_units
  tags          = var.context.tags

  pipeline_configuration_body = yamlencode({
    version = "2"
    "${var.context.name}-embeddings" = {
      source = {
        kinesis-data-streams = {
          acknowledgments = true
          codec           = { json = {} }
          streams         = [{ stream_name = var.embeddings.name, initial_position = "EARLIEST" }]
          aws             = { region = var.context.region, sts_role_arn = aws_iam_role.ingestion[0].arn }
        }
      }
      # The same ids and external versions as the store `opensearch` writes: an older version is refused.
      sink = [{
        opensearch = {
          hosts                 = [local.endpoint]
          index                 = var.ingestion.index
          index_type            = "custom"
          action                = "index"
          document_id           = "$${/row/key}"
          document_version      = "$${/row/version}"
          document_version_type = "external"
          aws = {
            region       = var.context.region
            sts_role_arn = aws_iam_role.ingestion[0].arn
            serverless   = local.serverless
          }
          dlq = { s3 = {
            bucket          = var.lake_bucket.name
            key_path_prefix = "ingestion-refused"
            region          = var.context.region
            sts_role_arn    = aws_iam_role.ingestion[0].arn
          } }
        }
      }]
    }
  })

  buffer_options {
    persistent_buffer_enabled = false # the stream is the buffer
  }

  encryption_at_rest_options {
    kms_key_arn = var.kms_key_arn
  }

  log_publishing_options {
    is_logging_enabled = true

    cloudwatch_log_destination {
      log_group = aws_cloudwatch_log_group.ingestion[0].name
    }
  }

  dynamic "vpc_options" {
    for_each = local.networked ? [1] : []
    content {
      subnet_ids         = var.subnet_ids
      security_group_ids = var.security_group_ids
    }
  }
}

# The service takes only this prefix.
resource "aws_cloudwatch_log_group" "ingestion" {
  count = local.ingestion ? 1 : 0

  name              = "/aws/vendedlogs/OpenSearchIngestion/${local.store_name}"
  retention_in_days = var.log_retention_days
  kms_key_id        = var.kms_key_arn
  tags              = var.context.tags
}

resource "aws_iam_role" "ingestion" {
  count = local.ingestion ? 1 : 0

  name = "${local.store_name}-ingestion"
  tags = var.context.tags

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "osis-pipelines.amazonaws.com" }
      Action    = "sts:AssumeRole"
      Condition = { StringEquals = { "aws:SourceAccount" = var.context.account_id } }
    }]
  })
}

resource "aws_iam_role_policy" "ingestion" {
  count = local.ingestion ? 1 : 0

  name = "move"
  role = aws_iam_role.ingestion[0].id

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = concat([
      {
        Sid    = "ReadStream"
        Effect = "Allow"
        Action = [
          "kinesis:DescribeStream", "kinesis:DescribeStreamConsumer", "kinesis:DescribeStreamSummary", "kinesis:GetRecords",
          "kinesis:GetShardIterator", "kinesis:ListShards", "kinesis:ListStreamConsumers", "kinesis:RegisterStreamConsumer",
          "kinesis:SubscribeToShard",
        ]
        Resource = [var.embeddings.arn, "${var.embeddings.arn}/*"]
      },
      {
        Sid      = "KeepRefused"
        Effect   = "Allow"
        Action   = "s3:PutObject"
        Resource = "${var.lake_bucket.arn}/ingestion-refused/*"
      },
      {
        Sid      = "Encrypt"
        Effect   = "Allow"
        Action   = ["kms:Decrypt", "kms:GenerateDataKey"]
        Resource = var.kms_key_arn
      },
      ], local.domain ? [{
        Sid      = "WriteDomain"
        Effect   = "Allow"
        Action   = ["es:DescribeDomain", "es:ESHttpGet", "es:ESHttpHead", "es:ESHttpPost", "es:ESHttpPut"]
        Resource = [aws_opensearch_domain.this[0].arn, "${aws_opensearch_domain.this[0].arn}/*"]
        }] : [], local.serverless ? [{
        Sid      = "WriteCollection"
        Effect   = "Allow"
        Action   = ["aoss:APIAccessAll", "aoss:BatchGetCollection"]
        Resource = [aws_opensearchserverless_collection.this[0].arn]
    }] : [])
  })
}
