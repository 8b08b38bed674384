# --- A role for each job, with no more than it needs ---

resource "aws_iam_role" "job" {
  for_each = var.jobs

  name = "headrace-${var.context.name}-${each.key}"
  tags = merge(var.context.tags, { Job = each.key })

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "glue.amazonaws.com" }
      Action    = "sts:AssumeRole"
      Condition = { StringEquals = { "aws:SourceAccount" = var.context.account_id } }
    }]
  })
}

resource "aws_iam_role_policy" "job" {
  for_each = var.jobs

  name = "job"
  role = aws_iam_role.job[each.key].id

  policy = jsonencode({
    Version   = "2012-10-17"
    Statement = concat(local.everyone[each.key], local.asked_for[each.key], local.denied[each.key], local.networked)
  })
}

locals {
  arn     = "arn:${var.context.partition}"
  here    = "${var.context.region}:${var.context.account_id}"
  lake    = "${var.lake_bucket.arn}/lake"
  catalog = "${local.arn}:glue:${local.here}"

  # What every job may: run its code, keep its own tables, tell how it is doing.
  everyone = { for job, settings in var.jobs : job => [
    {
      Sid    = "ReadCode"
      Effect = "Allow"
      Action = "s3:GetObject"
      Resource = [
        "${var.code_bucket.arn}/glue_jobs/*", "${var.code_bucket.arn}/wheels/*", "${var.code_bucket.arn}/config/*",
        "${var.code_bucket.arn}/jars/*",
      ]
    },
    {
      Sid      = "ListLake"
      Effect   = "Allow"
      Action   = ["s3:GetBucketLocation", "s3:ListBucket", "s3:ListBucketMultipartUploads"]
      Resource = var.lake_bucket.arn
    },
    {
      Sid    = "ReadLake"
      Effect = "Allow"
      Action = "s3:GetObject"
      Resource = concat(
        [for folder in concat(settings.owns, settings.reads) : "${local.lake}/${folder}/*"],
        ["${local.lake}/requests/*", "${local.lake}/checkpoints/${job}/*", "${local.lake}/heartbeats/${job}.json"],
        ["${var.lake_bucket.arn}/control/stop/${job}", "${var.lake_bucket.arn}/tmp/${job}/*"],
        # A folder is asked for as if it were an object, and Delta looks for a table's log in each folder above it. Without
        # the permission the answer is a refusal instead of "nothing there".
        [for folder in concat(settings.owns, settings.reads) : "${local.lake}/${folder}"],
        distinct(flatten([
          for folder in concat(settings.owns, settings.reads) :
          ["${local.lake}/${dirname(folder)}", "${local.lake}/${dirname(folder)}/_delta_log"] if dirname(folder) != "."
        ])),
        ["${var.lake_bucket.arn}/_delta_log", local.lake, "${local.lake}/_delta_log"],
        ["${local.lake}/checkpoints", "${local.lake}/checkpoints/${job}", "${local.lake}/heartbeats", "${local.lake}/requests"],
      )
    },
    {
      Sid    = "WriteLake"
      Effect = "Allow"
      Action = ["s3:AbortMultipartUpload", "s3:DeleteObject", "s3:ListMultipartUploadParts", "s3:PutObject"]
      Resource = concat(
        [for folder in settings.owns : "${local.lake}/${folder}/*"],
        ["${local.lake}/", "${local.lake}/checkpoints/", "${local.lake}/heartbeats/"], # what makes a folder where there is none
        distinct([for folder in settings.owns : "${local.lake}/${dirname(folder)}/" if dirname(folder) != "."]),
        ["${local.lake}/requests/*", "${local.lake}/checkpoints/${job}/*", "${local.lake}/heartbeats/${job}.json"],
        ["${var.lake_bucket.arn}/tmp/${job}/*"],
      )
    },
    {
      Sid      = "UseKey"
      Effect   = "Allow"
      Action   = ["kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey"]
      Resource = var.kms_key_arn
    },
    {
      Sid    = "Log"
      Effect = "Allow"
      Action = ["logs:AssociateKmsKey", "logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"]
      Resource = [
        "${local.arn}:logs:${local.here}:log-group:/aws-glue/*",
        # Glue may put the security configuration's name behind a group's.
        "${local.arn}:logs:${local.here}:log-group:${local.log_prefixes[job]}*",
      ]
    },
    {
      Sid       = "Measure"
      Effect    = "Allow"
      Action    = "cloudwatch:PutMetricData"
      Resource  = "*" # why: PutMetricData knows no resources; the condition names the namespaces
      Condition = { StringEquals = { "cloudwatch:namespace" = ["Headrace", "Glue"] } }
    },
    {
      Sid    = "ReadCatalog"
      Effect = "Allow"
      Action = ["glue:GetDatabase", "glue:GetDatabases", "glue:GetTable", "glue:GetTables"]
      Resource = [
        "${local.catalog}:catalog", "${local.catalog}:database/default", "${local.catalog}:database/${var.catalog_database}",
        "${local.catalog}:table/${var.catalog_database}/*",
      ]
    },
  ] }

  # What a job is given by name: `streams`, `stores`, `dynamodb`, `models` and so on of the variable `jobs`.
  asked_for = { for job, settings in var.jobs : job => [for statement in [
    {
      Sid      = "ReadStreams"
      Action   = ["kinesis:DescribeStreamSummary", "kinesis:GetRecords", "kinesis:GetShardIterator", "kinesis:ListShards"]
      Resource = [for name in settings.streams : try(var.streams[name].arn, name)]
    },
    {
      Sid      = "WriteStreams"
      Action   = ["kinesis:DescribeStreamSummary", "kinesis:PutRecords"]
      Resource = [for name in settings.writes_streams : try(var.streams[name].arn, name)]
    },
    {
      Sid      = "ListDocuments"
      Action   = ["s3:GetBucketLocation", "s3:ListBucket"]
      Resource = settings.documents ? var.document_buckets : []
    },
    {
      Sid      = "ReadDocuments"
      Action   = ["s3:GetObject"]
      Resource = settings.documents ? [for arn in var.document_buckets : "${arn}/*"] : []
    },
    {
      Sid      = "ListDatasets"
      Action   = ["s3:GetBucketLocation", "s3:ListBucket"]
      Resource = distinct([for arn in settings.dataset_folders : split("/", arn)[0]])
    },
    {
      Sid      = "WriteDatasets"
      Action   = ["s3:AbortMultipartUpload", "s3:DeleteObject", "s3:GetObject", "s3:PutObject"]
      Resource = flatten([for arn in settings.dataset_folders : [arn, "${arn}/*"]]) # a folder is asked for as if it were an object
    },
    {
      Sid    = "CallModels"
      Action = ["bedrock:InvokeModel"]
      Resource = [for model in settings.models :
        startswith(model, "arn:") ? model : "${local.arn}:bedrock:${var.context.region}::foundation-model/${model}"
      ]
    },
    {
      Sid      = "CallEndpoints"
      Action   = ["sagemaker:InvokeEndpoint"]
      Resource = [for name in settings.endpoints : "${local.arn}:sagemaker:${local.here}:endpoint/${lower(name)}"]
    },
    {
      Sid      = "AskComprehend"
      Action   = ["comprehend:BatchDetectSentiment"]
      Resource = settings.comprehend ? ["*"] : [] # why: it knows no resources
    },
    {
      Sid      = "ReadSecrets"
      Action   = ["secretsmanager:GetSecretValue"]
      Resource = concat(settings.secrets, [for store in settings.stores : lookup(var.store_secrets, store, null) if lookup(var.store_secrets, store, null) != null])
    },
    {
      Sid      = "UseYourKeys"
      Action   = ["kms:Decrypt", "kms:DescribeKey", "kms:GenerateDataKey"]
      Resource = settings.kms_keys
    },
    {
      Sid      = "TakeOnRoles"
      Action   = ["sts:AssumeRole"]
      Resource = settings.assumes
    },
    {
      Sid      = "ReadSchemas"
      Action   = ["glue:GetSchemaVersion"]
      Resource = settings.schemas ? ["*"] : [] # why: a message names its schema version by an id, not its registry
    },
    {
      Sid      = "OpenSearch"
      Action   = ["es:ESHttpDelete", "es:ESHttpGet", "es:ESHttpHead", "es:ESHttpPost", "es:ESHttpPut"]
      Resource = contains(settings.stores, "opensearch") ? [for arn in var.store_arns.domain : "${arn}/*"] : []
    },
    {
      Sid      = "OpenSearchServerless"
      Action   = ["aoss:APIAccessAll"] # the data policy of the collection says what
      Resource = contains(settings.stores, "opensearch") ? var.store_arns.collection : []
    },
    {
      Sid      = "Pgvector"
      Action   = ["rds-db:connect"]
      Resource = contains(settings.stores, "pgvector") ? var.store_arns.pgvector : []
    },
    {
      Sid      = "Dynamodb"
      Action   = ["dynamodb:DescribeTable", "dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:Scan", "dynamodb:UpdateItem"] # a delete is a put
      Resource = [for table in settings.dynamodb : lookup(var.tables, table, table)]
    },
    {
      Sid      = "SendAlerts"
      Action   = ["sns:Publish"]
      Resource = [for topic in settings.sns_topics : topic == "alarms" ? var.alarms_topic : topic]
    },
    {
      Sid      = "Neptune"
      Action   = ["neptune-db:DeleteDataViaQuery", "neptune-db:ReadDataViaQuery", "neptune-db:WriteDataViaQuery"]
      Resource = contains(settings.stores, "neptune") ? var.store_arns.neptune : []
    },
    {
      Sid      = "Kendra"
      Action   = ["kendra:BatchDeleteDocument", "kendra:BatchGetDocumentStatus", "kendra:BatchPutDocument", "kendra:DescribeIndex", "kendra:Query", "kendra:Retrieve"]
      Resource = contains(settings.stores, "kendra") ? var.store_arns.kendra : []
    },
    {
      Sid    = "KafkaCluster"
      Action = concat(["kafka-cluster:Connect", "kafka-cluster:DescribeCluster"], length(settings.writes_topics) > 0 ? ["kafka-cluster:WriteDataIdempotently"] : [])
      # A cluster's ARN, not a topic's, stands for writing idempotently.
      Resource = contains(settings.stores, "kafka") ? var.store_arns.kafka : []
    },
    {
      Sid      = "KafkaReadTopics"
      Action   = ["kafka-cluster:DescribeTopic", "kafka-cluster:ReadData"]
      Resource = contains(settings.stores, "kafka") ? flatten([for arn in var.store_arns.kafka : [for topic in settings.topics : "${replace(arn, ":cluster/", ":topic/")}/${topic}"]]) : []
    },
    {
      Sid      = "KafkaWriteTopics"
      Action   = ["kafka-cluster:DescribeTopic", "kafka-cluster:WriteData"]
      Resource = contains(settings.stores, "kafka") ? flatten([for arn in var.store_arns.kafka : [for topic in settings.writes_topics : "${replace(arn, ":cluster/", ":topic/")}/${topic}"]]) : []
    },
    {
      Sid      = "KafkaGroups"
      Action   = ["kafka-cluster:AlterGroup", "kafka-cluster:DescribeGroup"]
      Resource = contains(settings.stores, "kafka") ? [for arn in var.store_arns.kafka : "${replace(arn, ":cluster/", ":group/")}/*"] : []
    },
  ] : merge(statement, { Effect = "Allow" }) if length(statement.Resource) > 0] }

  # What lies inside a folder that a job owns and belongs to another.
  denied = { for job, settings in var.jobs : job => [for folders in [flatten([for other, their in var.jobs : [
    for theirs in their.owns : theirs if other != job && anytrue([for own in settings.owns : startswith(theirs, "${own}/")])
    ]])] : {
    Sid      = "LeaveToOthers"
    Effect   = "Deny"
    Action   = ["s3:DeleteObject", "s3:PutObject"]
    Resource = [for folder in folders : "${local.lake}/${folder}/*"]
  } if length(folders) > 0] }

  # What Glue itself does with the job's role to run inside a network.
  networked = [for statement in [
    {
      Sid      = "UseConnection"
      Effect   = "Allow"
      Action   = ["glue:GetConnection"]
      Resource = concat(["${local.catalog}:catalog"], [for name in var.connections : "${local.catalog}:connection/${name}"])
    },
    {
      Sid    = "LookAtNetwork"
      Effect = "Allow"
      Action = [
        "ec2:DescribeNetworkInterfaces", "ec2:DescribeRouteTables", "ec2:DescribeSecurityGroups", "ec2:DescribeSubnets",
        "ec2:DescribeVpcAttribute", "ec2:DescribeVpcEndpoints",
      ]
      Resource = "*" # why: EC2's Describe calls know no resources
    },
    {
      Sid    = "MakeInterfaces"
      Effect = "Allow"
      Action = ["ec2:CreateNetworkInterface", "ec2:DeleteNetworkInterface"]
      Resource = concat(
        ["${local.arn}:ec2:${local.here}:network-interface/*"],
        [for id in var.subnet_ids : "${local.arn}:ec2:${local.here}:subnet/${id}"],
        [for id in var.security_group_ids : "${local.arn}:ec2:${local.here}:security-group/${id}"],
      )
    },
    {
      Sid       = "TagInterfaces"
      Effect    = "Allow"
      Action    = ["ec2:CreateTags", "ec2:DeleteTags"]
      Resource  = ["${local.arn}:ec2:${local.here}:network-interface/*"]
      Condition = { "ForAllValues:StringEquals" = { "aws:TagKeys" = ["aws-glue-service-resource"] } }
    },
  ] : statement if var.in_network]
}
