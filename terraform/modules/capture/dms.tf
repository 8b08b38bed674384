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
    Statement = concat([
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
      ], length(var.dms.kms_keys) == 0 ? [] : [{
        Sid      = "DecryptSecrets"
        Effect   = "Allow"
        Action   = "kms:Decrypt"
        Resource = var.dms.kms_keys
    }])
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
