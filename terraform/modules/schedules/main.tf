# --- When jobs start ---

resource "aws_scheduler_schedule_group" "this" {
  name = "headrace-${var.context.name}"
  tags = var.context.tags
}

resource "aws_scheduler_schedule" "job" {
  for_each = var.jobs

  name                         = each.key
  group_name                   = aws_scheduler_schedule_group.this.name
  description                  = each.value.stream ? "Starts the stream where it does not run; a start while it runs is refused" : "Starts the job"
  schedule_expression          = each.value.when
  schedule_expression_timezone = each.value.timezone
  state                        = each.value.enabled ? "ENABLED" : "DISABLED"
  kms_key_arn                  = var.kms_key_arn

  flexible_time_window {
    mode = "OFF"
  }

  target {
    arn      = "arn:${var.context.partition}:scheduler:::aws-sdk:glue:startJobRun"
    role_arn = aws_iam_role.scheduler.arn
    input    = jsonencode({ JobName = each.value.glue_job })

    # For a stream a refused start is the rule: it already runs. A later start follows by itself.
    retry_policy {
      maximum_event_age_in_seconds = 3600
      maximum_retry_attempts       = each.value.stream ? 0 : 3
    }

    dynamic "dead_letter_config" {
      for_each = each.value.stream ? [] : [1]
      content {
        arn = aws_sqs_queue.missed.arn
      }
    }
  }
}

# --- Starts that were missed ---

resource "aws_sqs_queue" "missed" {
  name                      = "headrace-${var.context.name}-missed-starts"
  kms_master_key_id         = var.kms_key_arn
  message_retention_seconds = 14 * 24 * 3600
  tags                      = var.context.tags
}

# --- Who starts them ---

resource "aws_iam_role" "scheduler" {
  name = "headrace-${var.context.name}-scheduler"
  tags = var.context.tags

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "scheduler.amazonaws.com" }
      Action    = "sts:AssumeRole"
      Condition = { StringEquals = { "aws:SourceAccount" = var.context.account_id } }
    }]
  })
}

resource "aws_iam_role_policy" "scheduler" {
  name = "start"
  role = aws_iam_role.scheduler.id

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = concat(length(var.jobs) == 0 ? [] : [{
      Sid      = "StartJobs"
      Effect   = "Allow"
      Action   = "glue:StartJobRun"
      Resource = [for job in var.jobs : "arn:${var.context.partition}:glue:${var.context.region}:${var.context.account_id}:job/${job.glue_job}"]
      }], [
      {
        Sid      = "KeepMissed"
        Effect   = "Allow"
        Action   = "sqs:SendMessage"
        Resource = aws_sqs_queue.missed.arn
      },
      {
        Sid      = "Encrypt"
        Effect   = "Allow"
        Action   = ["kms:Decrypt", "kms:GenerateDataKey"]
        Resource = var.kms_key_arn
      },
    ])
  })
}
