# --- DynamoDB tables ---

resource "aws_dynamodb_kinesis_streaming_destination" "this" {
  for_each = var.dynamodb

  table_name                               = each.value.table
  stream_arn                               = var.streams[each.value.stream].arn
  approximate_creation_date_time_precision = "MICROSECOND" # what the format `dynamodb` orders by
}

# --- Changes of S3 objects ---

resource "aws_cloudwatch_event_rule" "objects" {
  for_each = var.objects

  name        = "headrace-${var.context.name}-${each.key}"
  description = "Objects of ${each.value.bucket} to the stream ${each.value.stream}"
  tags        = var.context.tags

  event_pattern = jsonencode({
    source      = ["aws.s3"]
    detail-type = ["Object Created", "Object Deleted"]
    detail = {
      bucket = { name = [each.value.bucket] }
      object = { key = [{ prefix = each.value.prefix }] }
    }
  })
}

resource "aws_cloudwatch_event_target" "objects" {
  for_each = var.objects

  rule     = aws_cloudwatch_event_rule.objects[each.key].name
  arn      = var.streams[each.value.stream].arn
  role_arn = aws_iam_role.objects[0].arn

  # One shard for one object: its events stay in order.
  kinesis_target {
    partition_key_path = "$.detail.object.key"
  }

  dead_letter_config {
    arn = aws_sqs_queue.objects[0].arn
  }
}

resource "aws_sqs_queue" "objects" {
  count = length(var.objects) > 0 ? 1 : 0

  name                      = "headrace-${var.context.name}-lost-events"
  kms_master_key_id         = var.kms_key_arn
  message_retention_seconds = 14 * 24 * 3600
  tags                      = var.context.tags
}

resource "aws_sqs_queue_policy" "objects" {
  count = length(var.objects) > 0 ? 1 : 0

  queue_url = aws_sqs_queue.objects[0].id

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "LostEvents"
      Effect    = "Allow"
      Principal = { Service = "events.amazonaws.com" }
      Action    = "sqs:SendMessage"
      Resource  = aws_sqs_queue.objects[0].arn
      Condition = { ArnEquals = { "aws:SourceArn" = [for rule in aws_cloudwatch_event_rule.objects : rule.arn] } }
    }]
  })
}

resource "aws_iam_role" "objects" {
  count = length(var.objects) > 0 ? 1 : 0

  name = "headrace-${var.context.name}-object-events"
  tags = var.context.tags

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "events.amazonaws.com" }
      Action    = "sts:AssumeRole"
      Condition = { StringEquals = { "aws:SourceAccount" = var.context.account_id } }
    }]
  })
}

resource "aws_iam_role_policy" "objects" {
  count = length(var.objects) > 0 ? 1 : 0

  name = "put"
  role = aws_iam_role.objects[0].id

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid      = "WriteStreams"
        Effect   = "Allow"
        Action   = ["kinesis:PutRecord", "kinesis:PutRecords"]
        Resource = distinct([for one in var.objects : var.streams[one.stream].arn])
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
