# --- Aurora with pgvector ---

resource "aws_db_subnet_group" "pgvector" {
  count = local.pgvector ? 1 : 0

  name       = local.store_name
  subnet_ids = var.subnet_ids
  tags       = var.context.tags
}

resource "aws_rds_cluster_parameter_group" "pgvector" {
  count = local.pgvector ? 1 : 0

  name   = local.store_name
  family = "aurora-postgresql${split(".", var.pgvector.version)[0]}"
  tags   = var.context.tags

  parameter {
    name  = "rds.force_ssl"
    value = "1"
  }

  parameter {
    name  = "log_statement"
    value = "ddl"
  }

  parameter {
    name  = "log_min_duration_statement"
    value = "1000"
  }
}

resource "aws_rds_cluster" "pgvector" {
  # checkov:skip=CKV2_AWS_27: the parameter group logs changes of schema and every statement slower than a second
  # checkov:skip=CKV2_AWS_8: Aurora's own backups are on, and passages can be built again from the lake
  count = local.pgvector ? 1 : 0

  cluster_identifier                  = local.store_name
  engine                              = "aurora-postgresql"
  engine_version                      = var.pgvector.version
  database_name                       = "headrace"
  master_username                     = "headrace"
  manage_master_user_password         = true # Secrets Manager makes it and turns it; no password in the state
  master_user_secret_kms_key_id       = var.kms_key_arn
  iam_database_authentication_enabled = true
  db_subnet_group_name                = aws_db_subnet_group.pgvector[0].name
  db_cluster_parameter_group_name     = aws_rds_cluster_parameter_group.pgvector[0].name
  vpc_security_group_ids              = var.security_group_ids
  storage_encrypted                   = true
  kms_key_id                          = var.kms_key_arn
  backup_retention_period             = var.pgvector.backup_days
  copy_tags_to_snapshot               = true
  enabled_cloudwatch_logs_exports     = ["postgresql"]
  deletion_protection                 = var.deletion_protection
  skip_final_snapshot                 = !var.deletion_protection
  final_snapshot_identifier           = var.deletion_protection ? "${local.store_name}-last" : null
  tags                                = var.context.tags

  serverlessv2_scaling_configuration {
    min_capacity = var.pgvector.min_capacity
    max_capacity = var.pgvector.max_capacity
  }
}

resource "aws_rds_cluster_instance" "pgvector" {
  # checkov:skip=CKV_AWS_118: Performance Insights and the cluster's own metrics are on; the agent's cost more than they tell
  count = local.pgvector ? var.pgvector.instances : 0

  identifier                      = "${local.store_name}-${count.index}"
  cluster_identifier              = aws_rds_cluster.pgvector[0].id
  engine                          = "aurora-postgresql"
  instance_class                  = "db.serverless"
  auto_minor_version_upgrade      = true
  performance_insights_enabled    = true
  performance_insights_kms_key_id = var.kms_key_arn
  tags                            = var.context.tags
}
