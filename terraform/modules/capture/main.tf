# --- AWS DMS: full load and changes ---

resource "aws_dms_replication_subnet_group" "this" {
  count = var.dms != null ? 1 : 0

  replication_subnet_group_id          = "headrace-${var.context.name}"
  replication_subnet_group_description = "Headrace ${var.context.name}"
  subnet_ids                           = var.subnet_ids
  tags                                 = var.context.tags

  depends_on = [aws_iam_role_policy_attachment.dms_vpc]
}

resource "aws_dms_replication_instance" "this" {
  count = var.dms != null ? 1 : 0

  replication_instance_id     = "headrace-${var.context.name}"
  replication_instance_class  = var.dms.instance
  allocated_storage           = var.dms.storage_gb
  multi_az                    = var.dms.multi_az
  publicly_accessible         = false
  auto_minor_version_upgrade  = true
  kms_key_arn                 = var.kms_key_arn
  replication_subnet_group_id = aws_dms_replication_subnet_group.this[0].id
  vpc_security_group_ids      = var.security_group_ids
  tags                        = var.context.tags
}

resource "aws_dms_endpoint" "source" {
  for_each = try(var.dms.sources, {})

  endpoint_id                     = "headrace-${var.context.name}-${each.key}"
  endpoint_type                   = "source"
  engine_name                     = each.value.engine
  database_name                   = each.value.database
  ssl_mode                        = each.value.ssl_mode
  kms_key_arn                     = var.kms_key_arn
  secrets_manager_arn             = each.value.secret_arn
  secrets_manager_access_role_arn = aws_iam_role.dms[0].arn
  tags                            = var.context.tags
}

resource "aws_dms_endpoint" "target" {
  for_each = try(var.dms.sources, {})

  endpoint_id   = "headrace-${var.context.name}-${each.key}-stream"
  endpoint_type = "target"
  engine_name   = "kinesis"
  kms_key_arn   = var.kms_key_arn
  tags          = var.context.tags

  # What the format `dms` of Headrace reads: transactions give the order, nulls tell a null from a missing column.
  kinesis_settings {
    stream_arn                     = var.streams[each.value.stream].arn
    service_access_role_arn        = aws_iam_role.dms[0].arn
    message_format                 = "json-unformatted"
    include_transaction_details    = true
    include_partition_value        = true
    include_null_and_empty         = true
    include_control_details        = true
    include_table_alter_operations = true
    partition_include_schema_table = true
  }
}

resource "aws_dms_replication_task" "this" {
  for_each = try(var.dms.sources, {})

  replication_task_id      = "headrace-${var.context.name}-${each.key}"
  migration_type           = "full-load-and-cdc"
  replication_instance_arn = aws_dms_replication_instance.this[0].replication_instance_arn
  source_endpoint_arn      = aws_dms_endpoint.source[each.key].endpoint_arn
  target_endpoint_arn      = aws_dms_endpoint.target[each.key].endpoint_arn
  start_replication_task   = true
  tags                     = var.context.tags

  table_mappings = jsonencode({
    rules = [for at, table in each.value.tables : {
      rule-type      = "selection"
      rule-id        = tostring(at + 1)
      rule-name      = tostring(at + 1)
      object-locator = { schema-name = split(".", table)[0], table-name = split(".", table)[1] }
      rule-action    = "include"
    }]
  })

  replication_task_settings = jsonencode({
    Logging             = { EnableLogging = true }
    BeforeImageSettings = { EnableBeforeImage = true, FieldName = "BI_", ColumnFilter = "all" }
    TargetMetadata      = { ParallelLoadThreads = 0 }
    ErrorBehavior       = { DataErrorPolicy = "LOG_ERROR", TableErrorPolicy = "SUSPEND_TABLE", RecoverableErrorCount = -1 }
  })

  lifecycle {
    ignore_changes = [replication_task_settings] # DMS fills in its own defaults
  }
}

resource "aws_iam_role" "dms" {
  count = var.dms != null ? 1 : 0

  name = "headrace-${var.context.name}-dms"
  tags = var.context.tags

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = ["dms.amazonaws.com", "dms.${var.context.region}.amazonaws.com"] }
      Action    = "sts:AssumeRole"
      Condition = { StringEquals = { "aws:SourceAccount" = var.context.account_id } }
    }]
  })
}

resource "aws_iam_role_policy" "dms" {
  count = var.dms != null ? 1 : 0

  name = "capture"
  role = aws_iam_role.dms[0].id

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid      = "WriteStreams"
        Effect   = "Allow"
        Action   = ["kinesis:DescribeStream", "kinesis:PutRecord", "kinesis:PutRecords"]
        Resource = distinct([for source in var.dms.sources : var.streams[source.stream].arn])
      },
      {
        Sid      = "ReadSecrets"
        Effect   = "Allow"
        Action   = ["secretsmanager:DescribeSecret", "secretsmanager:GetSecretValue"]
        Resource = distinct([for source in var.dms.sources : source.secret_arn])
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

# DMS looks for a role of exactly this name, one in an account.
resource "aws_iam_role" "dms_vpc" {
  count = try(var.dms.make_vpc_role, false) ? 1 : 0

  name = "dms-vpc-role"
  tags = var.context.tags

  assume_role_policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Principal = { Service = "dms.amazonaws.com" }, Action = "sts:AssumeRole" }]
  })
}

resource "aws_iam_role_policy_attachment" "dms_vpc" {
  count = try(var.dms.make_vpc_role, false) ? 1 : 0

  role       = aws_iam_role.dms_vpc[0].name
  policy_arn = "arn:${var.context.partition}:iam::aws:policy/service-role/AmazonDMSVPCManagementRole"
}

# --- Debezium on MSK Connect ---

resource "aws_mskconnect_custom_plugin" "debezium" {
  count = var.debezium != null ? 1 : 0

  name         = "headrace-${var.context.name}-debezium"
  content_type = "ZIP"
  tags         = var.context.tags

  location {
    s3 {
      bucket_arn = var.debezium.plugin_bucket_arn
      file_key   = var.debezium.plugin_key
    }
  }
}

resource "aws_mskconnect_connector" "debezium" {
  for_each = try(var.debezium.connectors, {})

  name                       = "headrace-${var.context.name}-${each.key}"
  kafkaconnect_version       = var.debezium.connect_version
  service_execution_role_arn = aws_iam_role.debezium[0].arn
  tags                       = var.context.tags

  connector_configuration = merge({
    "connector.class"                = each.value.class
    "tasks.max"                      = "1"
    "topic.prefix"                   = each.key
    "tombstones.on.delete"           = "true"
    "key.converter"                  = "org.apache.kafka.connect.json.JsonConverter"
    "value.converter"                = "org.apache.kafka.connect.json.JsonConverter"
    "key.converter.schemas.enable"   = "true"
    "value.converter.schemas.enable" = "true"
  }, each.value.settings)

  capacity {
    provisioned_capacity {
      mcu_count    = each.value.units
      worker_count = 1
    }
  }

  kafka_cluster {
    apache_kafka_cluster {
      bootstrap_servers = var.kafka.servers

      vpc {
        subnets         = var.subnet_ids
        security_groups = var.security_group_ids
      }
    }
  }

  kafka_cluster_client_authentication {
    authentication_type = "IAM"
  }

  kafka_cluster_encryption_in_transit {
    encryption_type = "TLS"
  }

  plugin {
    custom_plugin {
      arn      = aws_mskconnect_custom_plugin.debezium[0].arn
      revision = aws_mskconnect_custom_plugin.debezium[0].latest_revision
    }
  }

  log_delivery {
    worker_log_delivery {
      cloudwatch_logs {
        enabled   = true
        log_group = aws_cloudwatch_log_group.debezium[0].name
      }
    }
  }
}

resource "aws_cloudwatch_log_group" "debezium" {
  count = var.debezium != null ? 1 : 0

  name              = "/headrace/${var.context.name}/debezium"
  retention_in_days = var.log_retention_days
  kms_key_id        = var.kms_key_arn
  tags              = var.context.tags
}

resource "aws_iam_role" "debezium" {
  count = var.debezium != null ? 1 : 0

  name = "headrace-${var.context.name}-debezium"
  tags = var.context.tags

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "kafkaconnect.amazonaws.com" }
      Action    = "sts:AssumeRole"
      Condition = { StringEquals = { "aws:SourceAccount" = var.context.account_id } }
    }]
  })
}

resource "aws_iam_role_policy" "debezium" {
  count = var.debezium != null ? 1 : 0

  name = "capture"
  role = aws_iam_role.debezium[0].id

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = concat([
      {
        Sid      = "Cluster"
        Effect   = "Allow"
        Action   = ["kafka-cluster:AlterCluster", "kafka-cluster:Connect", "kafka-cluster:DescribeCluster"]
        Resource = var.kafka.arn
      },
      {
        Sid    = "Topics"
        Effect = "Allow"
        Action = [
          "kafka-cluster:CreateTopic", "kafka-cluster:DescribeTopic", "kafka-cluster:ReadData", "kafka-cluster:WriteData",
          "kafka-cluster:WriteDataIdempotently",
        ]
        Resource = "${replace(var.kafka.arn, ":cluster/", ":topic/")}/*"
      },
      {
        Sid      = "Groups"
        Effect   = "Allow"
        Action   = ["kafka-cluster:AlterGroup", "kafka-cluster:DescribeGroup"]
        Resource = "${replace(var.kafka.arn, ":cluster/", ":group/")}/*"
      },
      ], length(var.debezium.secret_arns) == 0 ? [] : [{
        Sid      = "ReadSecrets"
        Effect   = "Allow"
        Action   = "secretsmanager:GetSecretValue"
        Resource = var.debezium.secret_arns
    }])
  })
}

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
