locals {
  domain     = try(var.opensearch.mode, "") == "domain"
  serverless = try(var.opensearch.mode, "") == "serverless"
  pgvector   = var.pgvector != null
  ingestion  = var.ingestion != null
  networked  = length(var.subnet_ids) > 0
  store_name = "headrace-${var.context.name}"
  endpoint = local.domain ? "https://${aws_opensearch_domain.this[0].endpoint}" : (
    local.serverless ? aws_opensearchserverless_collection.this[0].collection_endpoint : ""
  )
  writers = concat(var.role_arns, aws_iam_role.ingestion[*].arn)
}

# --- OpenSearch domain ---

resource "aws_opensearch_domain" "this" {
  # checkov:skip=CKV2_AWS_52: the access policy names the roles; fine-grained control keeps its roles inside the cluster
  # checkov:skip=CKV2_AWS_59: dedicated masters are a size of the deployment (masters = 3); a small one has none
  # checkov:skip=CKV_AWS_318: the same: high availability is chosen with masters and instances
  # checkov:skip=CKV_AWS_317: audit logs come from fine-grained control, which is not used; CloudTrail has the domain's calls
  # checkov:skip=CKV_AWS_137: inside the network where there is one; without, every call is signed and by a named role
  count = local.domain ? 1 : 0

  domain_name    = local.store_name
  engine_version = var.opensearch.version
  tags           = var.context.tags

  cluster_config {
    instance_type            = var.opensearch.instance
    instance_count           = var.opensearch.instances
    dedicated_master_enabled = var.opensearch.masters > 0
    dedicated_master_count   = var.opensearch.masters > 0 ? var.opensearch.masters : null
    dedicated_master_type    = var.opensearch.masters > 0 ? var.opensearch.master_instance : null
    zone_awareness_enabled   = var.opensearch.instances > 1

    dynamic "zone_awareness_config" {
      for_each = var.opensearch.instances > 1 ? [min(var.opensearch.instances, 3)] : []
      content {
        availability_zone_count = var.opensearch.instances % 3 == 0 ? 3 : 2
      }
    }
  }

  ebs_options {
    ebs_enabled = true
    volume_type = "gp3"
    volume_size = var.opensearch.volume_gb
  }

  dynamic "vpc_options" {
    for_each = local.networked ? [1] : []
    content {
      subnet_ids         = slice(var.subnet_ids, 0, var.opensearch.instances == 1 ? 1 : (var.opensearch.instances % 3 == 0 ? 3 : 2))
      security_group_ids = var.security_group_ids
    }
  }

  encrypt_at_rest {
    enabled    = true
    kms_key_id = var.kms_key_arn
  }

  node_to_node_encryption {
    enabled = true
  }

  domain_endpoint_options {
    enforce_https       = true
    tls_security_policy = "Policy-Min-TLS-1-2-PFS-2023-10"
  }

  auto_tune_options {
    desired_state = "ENABLED"
  }

  software_update_options {
    auto_software_update_enabled = true
  }

  dynamic "log_publishing_options" {
    for_each = toset(["AUDIT_LOGS", "ES_APPLICATION_LOGS", "INDEX_SLOW_LOGS", "SEARCH_SLOW_LOGS"])
    content {
      log_type                 = log_publishing_options.value
      cloudwatch_log_group_arn = aws_cloudwatch_log_group.opensearch[0].arn
      enabled                  = log_publishing_options.value != "AUDIT_LOGS" # audit logs need fine-grained control
    }
  }

  depends_on = [aws_cloudwatch_log_resource_policy.opensearch]
}

resource "aws_opensearch_domain_policy" "this" {
  count = local.domain ? 1 : 0

  domain_name = aws_opensearch_domain.this[0].domain_name

  access_policies = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "NamedRoles"
      Effect    = "Allow"
      Principal = { AWS = concat(local.writers, var.opensearch.readers) }
      Action    = ["es:ESHttpDelete", "es:ESHttpGet", "es:ESHttpHead", "es:ESHttpPost", "es:ESHttpPut"]
      Resource  = "${aws_opensearch_domain.this[0].arn}/*"
    }]
  })
}

resource "aws_cloudwatch_log_group" "opensearch" {
  count = local.domain ? 1 : 0

  name              = "/headrace/${var.context.name}/opensearch"
  retention_in_days = var.log_retention_days
  kms_key_id        = var.kms_key_arn
  tags              = var.context.tags
}

resource "aws_cloudwatch_log_resource_policy" "opensearch" {
  count = local.domain ? 1 : 0

  policy_name = "headrace-${var.context.name}-opensearch"

  policy_document = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "es.amazonaws.com" }
      Action    = ["logs:CreateLogStream", "logs:PutLogEvents"]
      Resource  = "${aws_cloudwatch_log_group.opensearch[0].arn}:*"
      Condition = { StringEquals = { "aws:SourceAccount" = var.context.account_id } }
    }]
  })
}

# --- OpenSearch Serverless ---

resource "aws_opensearchserverless_security_policy" "encryption" {
  count = local.serverless ? 1 : 0

  name = local.store_name
  type = "encryption"

  policy = jsonencode({
    Rules       = [{ ResourceType = "collection", Resource = ["collection/${local.store_name}"] }]
    AWSOwnedKey = false
    KmsARN      = var.kms_key_arn
  })
}

resource "aws_opensearchserverless_security_policy" "network" {
  count = local.serverless ? 1 : 0

  name = local.store_name
  type = "network"

  policy = jsonencode([merge(
    { Rules = [{ ResourceType = "collection", Resource = ["collection/${local.store_name}"] }] },
    { AllowFromPublic = !local.networked },
    { for key, ids in { SourceVPCEs = aws_opensearchserverless_vpc_endpoint.this[*].id } : key => ids if local.networked },
  )])
}

resource "aws_opensearchserverless_vpc_endpoint" "this" {
  count = local.serverless && local.networked ? 1 : 0

  name               = local.store_name
  vpc_id             = var.vpc_id
  subnet_ids         = var.subnet_ids
  security_group_ids = var.security_group_ids
}

resource "aws_opensearchserverless_access_policy" "this" {
  count = local.serverless ? 1 : 0

  name = local.store_name
  type = "data"

  policy = jsonencode([
    {
      Description = "Jobs write"
      Principal   = local.writers
      Rules = [
        {
          ResourceType = "index"
          Resource     = ["index/${local.store_name}/*"]
          Permission = [
            "aoss:CreateIndex", "aoss:DeleteIndex", "aoss:DescribeIndex",
            "aoss:ReadDocument", "aoss:UpdateIndex", "aoss:WriteDocument",
          ]
        },
        {
          ResourceType = "collection"
          Resource     = ["collection/${local.store_name}"]
          Permission   = ["aoss:CreateCollectionItems", "aoss:DescribeCollectionItems", "aoss:UpdateCollectionItems"]
        },
      ]
    },
    {
      Description = "Readers read"
      Principal   = length(var.opensearch.readers) > 0 ? var.opensearch.readers : local.writers
      Rules = [{
        ResourceType = "index"
        Resource     = ["index/${local.store_name}/*"]
        Permission   = ["aoss:DescribeIndex", "aoss:ReadDocument"]
      }]
    },
  ])
}

# A search collection: a vector collection refuses document ids, and with them the guard against older versions.
resource "aws_opensearchserverless_collection" "this" {
  count = local.serverless ? 1 : 0

  name             = local.store_name
  type             = "SEARCH"
  standby_replicas = var.opensearch.standby ? "ENABLED" : "DISABLED"
  tags             = var.context.tags

  depends_on = [aws_opensearchserverless_security_policy.encryption]
}

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
