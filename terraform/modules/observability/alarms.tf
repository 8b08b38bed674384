# Every alarm: its kind is the first part of its name and a heading of docs/runbook.md, which a test compares.

locals {
  limits = var.settings

  # metric -> "job/source" -> where the alarm looks
  watched = { for metric in ["FreshnessSeconds", "Heartbeat", "LagSeconds", "RowsRejected"] : metric => merge([
    for job, settings in var.jobs : { for source in settings.sources[metric] : "${job}/${source}" => {
      Name = var.context.name, Job = job, Source = source
    } if settings.stream || metric == "RowsRejected" }
  ]...) }

  # --- Jobs ---

  job_alarms = merge(
    { for what, dimensions in local.watched["LagSeconds"] : "lag/${what}" => {
      says      = "The job is more than ${local.limits.lag_seconds} s behind its source."
      namespace = "Headrace", metric = "LagSeconds", dimensions = dimensions, statistic = "Maximum"
      compare   = "GreaterThanThreshold", threshold = local.limits.lag_seconds, period = 60, periods = 5, missing = "ignore"
    } },
    { for what, dimensions in local.watched["FreshnessSeconds"] : "freshness/${what}" => {
      says      = "The newest change in the lake is older than ${local.limits.freshness_seconds} s."
      namespace = "Headrace", metric = "FreshnessSeconds", dimensions = dimensions, statistic = "Maximum"
      compare   = "GreaterThanThreshold", threshold = local.limits.freshness_seconds, period = 300, periods = 3, missing = "ignore"
    } },
    { for what, dimensions in local.watched["RowsRejected"] : "rejected/${what}" => {
      says      = "Rows were refused and lie in the rejects."
      namespace = "Headrace", metric = "RowsRejected", dimensions = dimensions, statistic = "Sum"
      compare   = "GreaterThanThreshold", threshold = local.limits.rejected_rows, period = 300, periods = 1, missing = "notBreaching"
    } },
    { for what, dimensions in local.watched["Heartbeat"] : "heartbeat/${what}" => {
      says      = "The job has not told that it is alive for ${local.limits.heartbeat_minutes} min."
      namespace = "Headrace", metric = "Heartbeat", dimensions = dimensions, statistic = "SampleCount"
      compare   = "LessThanThreshold", threshold = 1, period = 60, periods = local.limits.heartbeat_minutes, missing = "breaching"
    } },
  )

  # --- Queues of what was lost on the way ---

  queue_alarms = { for kind, name in { missed-start = var.missed_starts, lost-event = var.lost_events } : "${kind}/${name}" => {
    says      = "The queue ${name} holds what did not arrive."
    namespace = "AWS/SQS", metric = "ApproximateNumberOfMessagesVisible", dimensions = { QueueName = name }, statistic = "Maximum"
    compare   = "GreaterThanThreshold", threshold = 0, period = 300, periods = 1, missing = "notBreaching"
  } if name != null }

  # --- Streams ---

  stream_alarms = merge(
    { for name in values(var.streams) : "iterator-age/${name}" => {
      says      = "Records wait in the stream for more than ${local.limits.iterator_age_seconds} s."
      namespace = "AWS/Kinesis", metric = "GetRecords.IteratorAgeMilliseconds", dimensions = { StreamName = name }, statistic = "Maximum"
      compare   = "GreaterThanThreshold", threshold = local.limits.iterator_age_seconds * 1000, period = 60, periods = 5, missing = "notBreaching"
    } },
    { for name in values(var.streams) : "write-throttled/${name}" => {
      says      = "The stream refuses writes: it has too few shards."
      namespace = "AWS/Kinesis", metric = "WriteProvisionedThroughputExceeded", dimensions = { StreamName = name }, statistic = "Sum"
      compare   = "GreaterThanThreshold", threshold = 0, period = 300, periods = 2, missing = "notBreaching"
    } },
    { for name in values(var.streams) : "read-throttled/${name}" => {
      says      = "The stream refuses reads: too many readers share its shards."
      namespace = "AWS/Kinesis", metric = "ReadProvisionedThroughputExceeded", dimensions = { StreamName = name }, statistic = "Sum"
      compare   = "GreaterThanThreshold", threshold = 0, period = 300, periods = 2, missing = "notBreaching"
    } },
  )

  # --- Capture ---

  dms_alarms = merge([for side in ["Source", "Target"] : { for name, one in var.dms_tasks : "dms-latency/${name}-${lower(side)}" => {
    says       = "DMS is more than ${local.limits.dms_latency_seconds} s behind (${lower(side)})."
    namespace  = "AWS/DMS", metric = "CDCLatency${side}", statistic = "Maximum"
    dimensions = { ReplicationInstanceIdentifier = one.instance, ReplicationTaskIdentifier = one.task }
    compare    = "GreaterThanThreshold", threshold = local.limits.dms_latency_seconds, period = 60, periods = 5, missing = "breaching"
  } }]...)

  # --- Stores ---

  domain = { DomainName = coalesce(var.opensearch_domain, "none"), ClientId = var.context.account_id }
  search = { namespace = "AWS/ES", dimensions = local.domain, missing = "ignore" }

  opensearch_alarms = var.opensearch_domain == null ? {} : {
    "opensearch-red/${var.opensearch_domain}" = merge(local.search, {
      says    = "A primary shard of the index is not there."
      metric  = "ClusterStatus.red", statistic = "Maximum"
      compare = "GreaterThanThreshold", threshold = 0, period = 60, periods = 3
    })
    "opensearch-storage/${var.opensearch_domain}" = merge(local.search, {
      says    = "A node has less than ${local.limits.opensearch_free_gb} GB free."
      metric  = "FreeStorageSpace", statistic = "Minimum"
      compare = "LessThanThreshold", threshold = local.limits.opensearch_free_gb * 1024, period = 300, periods = 2
    })
    "opensearch-cpu/${var.opensearch_domain}" = merge(local.search, {
      says    = "The domain's processors are busier than ${local.limits.cpu_percent} %."
      metric  = "CPUUtilization", statistic = "Average"
      compare = "GreaterThanThreshold", threshold = local.limits.cpu_percent, period = 300, periods = 3
    })
  }

  database_alarms = { for what, one in {
    documentdb-cpu = { id = var.documentdb, namespace = "AWS/DocDB" }
    neptune-cpu    = { id = var.neptune, namespace = "AWS/Neptune" }
    pgvector-cpu   = { id = var.pgvector, namespace = "AWS/RDS" }
    } : "${what}/${one.id}" => {
    says      = "The cluster's processors are busier than ${local.limits.cpu_percent} %."
    namespace = one.namespace, metric = "CPUUtilization", dimensions = { DBClusterIdentifier = one.id }, statistic = "Average"
    compare   = "GreaterThanThreshold", threshold = local.limits.cpu_percent, period = 300, periods = 3, missing = "ignore"
  } if one.id != null }

  table_alarms = { for name in var.dynamodb_tables : "dynamodb-throttled/${name}" => {
    says      = "The table refuses writes: one key is too hot, or the account's limit is reached."
    namespace = "AWS/DynamoDB", metric = "WriteThrottleEvents", dimensions = { TableName = name }, statistic = "Sum"
    compare   = "GreaterThanThreshold", threshold = 0, period = 300, periods = 2, missing = "notBreaching"
  } }

  alarms = merge(
    local.job_alarms, local.queue_alarms, local.stream_alarms, local.dms_alarms, local.opensearch_alarms,
    local.database_alarms, local.table_alarms,
  )
}
