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
    # The cluster makes no topic by itself. -1: as many copies as it makes by default.
    "topic.creation.default.replication.factor" = "-1"
    "topic.creation.default.partitions"         = "1"
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

  dynamic "worker_configuration" {
    for_each = aws_mskconnect_worker_configuration.debezium
    content {
      arn      = worker_configuration.value.arn
      revision = worker_configuration.value.latest_revision
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

# A worker with the provider does not start unless the plugin's zip brings its classes, so it has it only where it is used.
resource "aws_mskconnect_worker_configuration" "debezium" {
  count = anytrue(flatten([for one in try(var.debezium.connectors, {}) : [for value in values(one.settings) : strcontains(value, "{secretsmanager:")]])) ? 1 : 0

  name = "headrace-${var.context.name}-debezium"
  tags = var.context.tags

  properties_file_content = <<-PROPERTIES
    key.converter=org.apache.kafka.connect.json.JsonConverter
    value.converter=org.apache.kafka.connect.json.JsonConverter
    config.providers=secretsmanager
    config.providers.secretsmanager.class=com.amazonaws.kafka.config.providers.SecretsManagerConfigProvider
    config.providers.secretsmanager.param.region=${var.context.region}
  PROPERTIES
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
        Action   = ["kafka-cluster:AlterCluster", "kafka-cluster:Connect", "kafka-cluster:DescribeCluster", "kafka-cluster:WriteDataIdempotently"]
        Resource = var.kafka.arn
      },
      {
        Sid    = "Topics"
        Effect = "Allow"
        Action = [
          "kafka-cluster:CreateTopic", "kafka-cluster:DescribeTopic", "kafka-cluster:ReadData", "kafka-cluster:WriteData",
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
        Action   = ["secretsmanager:DescribeSecret", "secretsmanager:GetSecretValue"]
        Resource = var.debezium.secret_arns
        }], length(var.debezium.kms_keys) == 0 ? [] : [{
        Sid      = "Decrypt"
        Effect   = "Allow"
        Action   = "kms:Decrypt"
        Resource = var.debezium.kms_keys
    }])
  })
}
