locals {
  finds      = [for place in range(5) : "find${place}"] # what the jobs look for in a table of served rows
  documentdb = var.documentdb != null
  neptune    = var.neptune != null
}

# --- DocumentDB ---

resource "aws_docdb_subnet_group" "this" {
  count = local.documentdb ? 1 : 0

  name       = "headrace-${var.context.name}"
  subnet_ids = var.subnet_ids
  tags       = var.context.tags
}

resource "aws_docdb_cluster_parameter_group" "this" {
  count = local.documentdb ? 1 : 0

  name   = "headrace-${var.context.name}"
  family = "docdb5.0"
  tags   = var.context.tags

  parameter {
    name  = "tls"
    value = "enabled"
  }

  parameter {
    name  = "audit_logs"
    value = "enabled"
  }
}

resource "aws_docdb_cluster" "this" {
  count = local.documentdb ? 1 : 0

  cluster_identifier              = "headrace-${var.context.name}"
  engine                          = "docdb"
  engine_version                  = "5.0.0"
  master_username                 = "headrace"
  manage_master_user_password     = true # Secrets Manager makes it and turns it; no password in the state
  db_subnet_group_name            = aws_docdb_subnet_group.this[0].name
  db_cluster_parameter_group_name = aws_docdb_cluster_parameter_group.this[0].name
  vpc_security_group_ids          = var.security_group_ids
  storage_encrypted               = true
  kms_key_id                      = var.kms_key_arn
  backup_retention_period         = var.documentdb.backup_days
  enabled_cloudwatch_logs_exports = ["audit", "profiler"]
  deletion_protection             = var.deletion_protection
  skip_final_snapshot             = !var.deletion_protection
  final_snapshot_identifier       = var.deletion_protection ? "headrace-${var.context.name}-last" : null
  tags                            = var.context.tags
}

resource "aws_docdb_cluster_instance" "this" {
  count = local.documentdb ? var.documentdb.instances : 0

  identifier                 = "headrace-${var.context.name}-${count.index}"
  cluster_identifier         = aws_docdb_cluster.this[0].id
  instance_class             = var.documentdb.instance
  auto_minor_version_upgrade = true
  tags                       = var.context.tags
}

# --- DynamoDB ---

resource "aws_dynamodb_table" "this" {
  for_each = var.dynamodb

  name                        = "${var.context.name}-${each.key}"
  billing_mode                = "PAY_PER_REQUEST"
  hash_key                    = each.value.key
  range_key                   = each.value.sort_key
  deletion_protection_enabled = var.deletion_protection
  tags                        = var.context.tags

  dynamic "attribute" {
    for_each = toset(compact(concat([each.value.key, each.value.sort_key], each.value.served ? local.finds : [])))
    content {
      name = attribute.value
      type = "S"
    }
  }

  # The keys of rows by what they are asked for.
  dynamic "global_secondary_index" {
    for_each = each.value.served ? local.finds : []
    content {
      name            = global_secondary_index.value
      hash_key        = global_secondary_index.value
      range_key       = each.value.key
      projection_type = "KEYS_ONLY"
    }
  }

  dynamic "ttl" {
    for_each = each.value.expires_at[*]
    content {
      attribute_name = ttl.value
      enabled        = true
    }
  }

  point_in_time_recovery {
    enabled = true
  }

  server_side_encryption {
    enabled     = true
    kms_key_arn = var.kms_key_arn
  }
}

# --- Neptune ---

resource "aws_neptune_subnet_group" "this" {
  count = local.neptune ? 1 : 0

  name       = "headrace-${var.context.name}"
  subnet_ids = var.subnet_ids
  tags       = var.context.tags
}

resource "aws_neptune_cluster" "this" {
  count = local.neptune ? 1 : 0

  cluster_identifier                  = "headrace-${var.context.name}"
  engine                              = "neptune"
  iam_database_authentication_enabled = true
  neptune_subnet_group_name           = aws_neptune_subnet_group.this[0].name
  vpc_security_group_ids              = var.security_group_ids
  storage_encrypted                   = true
  kms_key_arn                         = var.kms_key_arn
  backup_retention_period             = var.neptune.backup_days
  copy_tags_to_snapshot               = true
  enable_cloudwatch_logs_exports      = ["audit", "slowquery"]
  deletion_protection                 = var.deletion_protection
  skip_final_snapshot                 = !var.deletion_protection
  final_snapshot_identifier           = var.deletion_protection ? "headrace-${var.context.name}-last" : null
  tags                                = var.context.tags

  serverless_v2_scaling_configuration {
    min_capacity = var.neptune.min_capacity
    max_capacity = var.neptune.max_capacity
  }
}

resource "aws_neptune_cluster_instance" "this" {
  count = local.neptune ? var.neptune.instances : 0

  identifier                 = "headrace-${var.context.name}-${count.index}"
  cluster_identifier         = aws_neptune_cluster.this[0].id
  instance_class             = "db.serverless"
  auto_minor_version_upgrade = true
  tags                       = var.context.tags
}
