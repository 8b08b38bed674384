# --- Who is told ---

resource "aws_sns_topic" "alarms" {
  name              = "headrace-${var.context.name}-alarms"
  kms_master_key_id = var.kms_key_arn
  tags              = var.context.tags
}

resource "aws_sns_topic_policy" "alarms" {
  arn = aws_sns_topic.alarms.arn

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "AlarmsPublish"
      Effect    = "Allow"
      Principal = { Service = ["cloudwatch.amazonaws.com", "events.amazonaws.com"] }
      Action    = "sns:Publish"
      Resource  = aws_sns_topic.alarms.arn
      Condition = { StringEquals = { "aws:SourceAccount" = var.context.account_id } }
    }]
  })
}

resource "aws_sns_topic_subscription" "email" {
  for_each = toset(var.settings.emails)

  topic_arn = aws_sns_topic.alarms.arn
  protocol  = "email"
  endpoint  = each.key
}

# --- Alarms: the list is in alarms.tf ---

resource "aws_cloudwatch_metric_alarm" "this" {
  for_each = local.alarms

  alarm_name          = "${var.context.name}-${replace(each.key, "/", "-")}"
  alarm_description   = "${each.value.says} What to do: docs/runbook.md#${split("/", each.key)[0]}"
  namespace           = each.value.namespace
  metric_name         = each.value.metric
  dimensions          = each.value.dimensions
  statistic           = each.value.statistic
  comparison_operator = each.value.compare
  threshold           = each.value.threshold
  period              = each.value.period
  evaluation_periods  = each.value.periods
  treat_missing_data  = each.value.missing
  alarm_actions       = [aws_sns_topic.alarms.arn]
  ok_actions          = [aws_sns_topic.alarms.arn]
  tags                = var.context.tags
}

# --- Jobs that ended ---

resource "aws_cloudwatch_event_rule" "job_ended" {
  count = length(var.jobs) > 0 ? 1 : 0 # a rule for no job is refused

  name        = "${var.context.name}-job-ended"
  description = "A Glue job failed, ran out of time or was stopped. What to do: docs/runbook.md#job-ended"
  tags        = var.context.tags

  event_pattern = jsonencode({
    source      = ["aws.glue"]
    detail-type = ["Glue Job State Change"]
    detail      = { jobName = sort([for job in var.jobs : job.glue_job]), state = ["FAILED", "TIMEOUT", "STOPPED"] }
  })
}

resource "aws_cloudwatch_event_target" "job_ended" {
  count = length(var.jobs) > 0 ? 1 : 0

  rule = aws_cloudwatch_event_rule.job_ended[0].name
  arn  = aws_sns_topic.alarms.arn
}

# --- Dashboard ---

resource "aws_cloudwatch_dashboard" "this" {
  count = var.settings.dashboard ? 1 : 0

  dashboard_name = "headrace-${var.context.name}"
  dashboard_body = jsonencode({ widgets = concat(local.job_widgets, local.measure_widgets, local.stream_widgets) })
}

locals {
  shown = [
    { metric = "LagSeconds", title = "behind its source (s)", statistic = "Maximum" },
    { metric = "FreshnessSeconds", title = "age of the newest change (s)", statistic = "Maximum" },
    { metric = "BatchSeconds", title = "batch (s)", statistic = "Average" },
    { metric = "RowsApplied", title = "rows applied", statistic = "Sum" },
    { metric = "RowsStale", title = "rows stale", statistic = "Sum" },
    { metric = "RowsRejected", title = "rows refused", statistic = "Sum" },
  ]

  job_widgets = flatten([for row, job in sort(keys(var.jobs)) : [for column, one in local.shown : {
    type   = "metric"
    x      = column * 4
    y      = row * 6
    width  = 4
    height = 6
    properties = {
      title  = "${job}: ${one.title}"
      region = var.context.region
      period = 60
      stat   = one.statistic
      metrics = [for source in var.jobs[job].sources[one.metric] : [
        "Headrace", one.metric, "Name", var.context.name, "Job", job, "Source", source,
      ]]
    }
  } if length(var.jobs[job].sources[one.metric]) > 0]])

  # Four in a row, below the jobs.
  reported = flatten([for job in sort(keys(var.jobs)) : [for measure in var.jobs[job].measures : { job = job, measure = measure }]])

  measure_widgets = [for at, one in local.reported : {
    type   = "metric"
    x      = (at % 4) * 6
    y      = length(var.jobs) * 6 + floor(at / 4) * 6
    width  = 6
    height = 6
    properties = {
      title  = "${one.job}: ${one.measure}, rows it is of"
      region = var.context.region
      period = 60
      metrics = [
        ["Headrace", "MeasureValue", "Name", var.context.name, "Job", one.job, "Source", one.measure, { stat = "Average" }],
        ["Headrace", "MeasureRows", "Name", var.context.name, "Job", one.job, "Source", one.measure, { stat = "Average", yAxis = "right" }],
      ]
    }
  }]

  stream_widgets = [for column, name in sort(values(var.streams)) : {
    type   = "metric"
    x      = (column % 3) * 8
    y      = (length(var.jobs) + ceil(length(local.reported) / 4) + floor(column / 3)) * 6
    width  = 8
    height = 6
    properties = {
      title  = "${name}: records in, oldest unread (ms)"
      region = var.context.region
      period = 60
      metrics = [
        ["AWS/Kinesis", "IncomingRecords", "StreamName", name, { stat = "Sum" }],
        ["AWS/Kinesis", "GetRecords.IteratorAgeMilliseconds", "StreamName", name, { stat = "Maximum", yAxis = "right" }],
      ]
    }
  }]
}
