# --- Kinesis ---

resource "aws_kinesis_stream" "this" {
  for_each = var.kinesis

  name                      = "${var.context.name}-${each.key}"
  shard_count               = each.value.shards
  retention_period          = each.value.retention_hours
  encryption_type           = "KMS"
  kms_key_id                = var.kms_key_arn
  enforce_consumer_deletion = true
  tags                      = var.context.tags

  stream_mode_details {
    stream_mode = each.value.shards == null ? "ON_DEMAND" : "PROVISIONED"
  }
}

# --- MSK ---

resource "aws_msk_serverless_cluster" "this" {
  count = try(var.kafka.mode, "") == "serverless" ? 1 : 0

  cluster_name = "headrace-${var.context.name}"
  tags         = var.context.tags

  vpc_config {
    subnet_ids         = var.subnet_ids
    security_group_ids = var.security_group_ids
  }

  client_authentication {
    sasl {
      iam {
        enabled = true
      }
    }
  }
}

resource "aws_msk_configuration" "this" {
  count = try(var.kafka.mode, "") == "provisioned" ? 1 : 0

  name           = "headrace-${var.context.name}"
  kafka_versions = [var.kafka.version]

  server_properties = <<-PROPERTIES
    auto.create.topics.enable=false
    default.replication.factor=${length(var.subnet_ids)}
    min.insync.replicas=${max(1, length(var.subnet_ids) - 1)}
    log.retention.hours=${var.kafka.retention_hours}
  PROPERTIES
}

resource "aws_msk_cluster" "this" {
  count = try(var.kafka.mode, "") == "provisioned" ? 1 : 0

  cluster_name           = "headrace-${var.context.name}"
  kafka_version          = var.kafka.version
  number_of_broker_nodes = length(var.subnet_ids)
  enhanced_monitoring    = "PER_TOPIC_PER_PARTITION"
  tags                   = var.context.tags

  broker_node_group_info {
    instance_type   = var.kafka.instance
    client_subnets  = var.subnet_ids
    security_groups = var.security_group_ids

    storage_info {
      ebs_storage_info {
        volume_size = var.kafka.storage_gb
      }
    }
  }

  configuration_info {
    arn      = aws_msk_configuration.this[0].arn
    revision = aws_msk_configuration.this[0].latest_revision
  }

  client_authentication {
    sasl {
      iam = true
    }
  }

  encryption_info {
    encryption_at_rest_kms_key_arn = var.kms_key_arn

    encryption_in_transit {
      client_broker = "TLS"
      in_cluster    = true
    }
  }

  logging_info {
    broker_logs {
      cloudwatch_logs {
        enabled   = true
        log_group = aws_cloudwatch_log_group.msk[0].name
      }
    }
  }

  lifecycle {
    ignore_changes = [broker_node_group_info[0].storage_info[0].ebs_storage_info[0].volume_size] # grown by auto scaling
  }
}

resource "aws_cloudwatch_log_group" "msk" {
  count = try(var.kafka.mode, "") == "provisioned" ? 1 : 0

  name              = "/headrace/${var.context.name}/msk"
  retention_in_days = var.log_retention_days
  kms_key_id        = var.kms_key_arn
  tags              = var.context.tags
}

# --- MSK: storage grows by itself ---

resource "aws_appautoscaling_target" "msk" {
  count = try(var.kafka.mode, "") == "provisioned" ? 1 : 0

  service_namespace  = "kafka"
  scalable_dimension = "kafka:broker-storage:VolumeSize"
  resource_id        = aws_msk_cluster.this[0].arn
  min_capacity       = 1
  max_capacity       = var.kafka.max_storage_gb
  tags               = var.context.tags
}

resource "aws_appautoscaling_policy" "msk" {
  count = try(var.kafka.mode, "") == "provisioned" ? 1 : 0

  name               = "headrace-${var.context.name}-broker-storage"
  policy_type        = "TargetTrackingScaling"
  service_namespace  = aws_appautoscaling_target.msk[0].service_namespace
  scalable_dimension = aws_appautoscaling_target.msk[0].scalable_dimension
  resource_id        = aws_appautoscaling_target.msk[0].resource_id

  target_tracking_scaling_policy_configuration {
    target_value     = 60
    disable_scale_in = true # MSK cannot shrink a disk

    predefined_metric_specification {
      predefined_metric_type = "KafkaBrokerStorageUtilization"
    }
  }
}
