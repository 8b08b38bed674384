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
    Statement = concat(
      [{
        Sid       = "Writers"
        Effect    = "Allow"
        Principal = { AWS = local.writers }
        Action    = ["es:ESHttpDelete", "es:ESHttpGet", "es:ESHttpHead", "es:ESHttpPost", "es:ESHttpPut"]
        Resource  = ["${aws_opensearch_domain.this[0].arn}/*"]
      }],
      # A search is a POST; nothing else that is one may be asked for by readers.
      [for action, path in { "es:ESHttpGet" = "*", "es:ESHttpHead" = "*", "es:ESHttpPost" = "*/_search" } : {
        Sid                                 = "Readers${substr(action, 9, -1)}"
        Effect                              = "Allow"
        Principal                           = { AWS = var.opensearch.readers }
        Action                              = [action]
        Resource                            = ["${aws_opensearch_domain.this[0].arn}/${path}"]
      } if length(var.opensearch.readers) > 0],
    )
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
