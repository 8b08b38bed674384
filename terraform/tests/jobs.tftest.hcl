# What Glue is told of each job, and what its role may do.

mock_provider "aws" {
  source          = "./tests/mocks"
  override_during = plan
}

variables {
  name           = "trial"
  package        = { wheel = "tests/fixtures/headrace-0.0.0-py3-none-any.whl" }
  config_file    = "tests/fixtures/headrace.yaml"
  scripts_folder = "tests/fixtures/jobs"
}

run "streams_as_they_are" {
  command = plan

  assert {
    condition     = keys(module.jobs.names) == ["apply_changes"]
    error_message = "The job that is there without a word is apply_changes."
  }

  assert {
    condition = output.job_arguments["apply_changes"]["--conf"] == join(" --conf ", [
      "spark.sql.catalog.spark_catalog=org.apache.spark.sql.delta.catalog.DeltaCatalog",
      "spark.sql.extensions=io.delta.sql.DeltaSparkSessionExtension",
    ])
    error_message = "Both settings of Delta stand in the one key --conf."
  }

  assert {
    condition     = contains(output.alarms.names, "trial-heartbeat-apply_changes-shop") && !contains(output.alarms.names, "trial-heartbeat-apply_changes-crm")
    error_message = "A source without a table has no heartbeat in apply_changes."
  }

  assert {
    condition     = output.job_arguments["apply_changes"]["--stop"] == "s3://trial-111122223333-eu-west-1-lake/control/stop/apply_changes"
    error_message = "The stop file lies in the lake's bucket."
  }

  assert {
    condition     = strcontains(output.job_arguments["apply_changes"]["--additional-python-modules"], "/wheels/${filesha256("tests/fixtures/headrace-0.0.0-py3-none-any.whl")}/headrace-0.0.0-py3-none-any.whl")
    error_message = "The wheel's place has the hash of its content and keeps its name."
  }

  assert {
    condition     = !contains(keys(output.job_arguments["apply_changes"]), "--python-modules-installer-option")
    error_message = "Without a bundle pip may ask its index; an empty argument is left out."
  }

  assert {
    condition     = output.job_arguments["apply_changes"]["--name"] == "trial" && output.job_arguments["apply_changes"]["--metrics"] == "cloudwatch" && output.job_arguments["apply_changes"]["--datalake-formats"] == "delta"
    error_message = "Every job gets --name, --metrics and Delta."
  }
}

run "a_bundle_needs_no_index" {
  command = plan

  variables {
    package = {
      wheel  = "tests/fixtures/headrace-0.0.0-py3-none-any.whl"
      bundle = "tests/fixtures/requirements.gluewheels.zip"
    }
  }

  assert {
    condition     = output.job_arguments["apply_changes"]["--python-modules-installer-option"] == "--no-index"
    error_message = "With a bundle nothing is fetched from an index."
  }

  assert {
    condition     = endswith(output.job_arguments["apply_changes"]["--additional-python-modules"], "/requirements.gluewheels.zip")
    error_message = "The bundle holds the wheel; pip refuses a package that is named twice."
  }
}

run "a_schedule" {
  command = plan

  variables {
    jobs = {
      curate_dataset = {
        kind = "schedule", when = "cron(30 2 * * ? *)", timezone = "Europe/Lisbon", owns = ["datasets"], reads = ["turns"]
      }
    }
  }

  assert {
    condition     = output.jobs == { curate_dataset = "trial-curate_dataset" }
    error_message = "One entry and one file are a job."
  }
}

run "glue_of_a_stream" {
  command = plan

  module {
    source = "./modules/jobs"
  }

  variables {
    context                = { name = "trial", tags = {}, region = "eu-west-1", account_id = "111122223333", partition = "aws" }
    package                = { wheel = "tests/fixtures/headrace-0.0.0-py3-none-any.whl", bundle = null, jars = ["tests/fixtures/login.jar"] }
    config                 = "lake: s3://x"
    code_bucket            = { name = "code", arn = "arn:aws:s3:::code" }
    lake_bucket            = { name = "lake", arn = "arn:aws:s3:::lake" }
    catalog_database       = "headrace_trial"
    streams                = { changes = { name = "trial-changes", arn = "arn:aws:kinesis:eu-west-1:111122223333:stream/trial-changes" } }
    maintenance_window     = "Sun:3"
    security_configuration = "headrace-trial"
    in_network             = false
    connections            = []
    subnet_ids             = []
    security_group_ids     = []
    kms_key_arn            = "arn:aws:kms:eu-west-1:111122223333:key/mine"
    log_retention_days     = 30
    document_buckets       = ["arn:aws:s3:::papers"]
    store_arns = {
      domain   = ["arn:aws:es:eu-west-1:111122223333:domain/one"], collection = [], neptune = [], kendra = [],
      pgvector = ["arn:aws:rds-db:eu-west-1:111122223333:dbuser:cluster-X/headrace_jobs"],
      kafka    = ["arn:aws:kafka:eu-west-1:111122223333:cluster/shop/0a0a"]
    }
    tables        = { rooms = "arn:aws:dynamodb:eu-west-1:111122223333:table/trial-rooms", profiles = "arn:aws:dynamodb:eu-west-1:111122223333:table/trial-profiles" }
    alarms_topic  = "arn:aws:sns:eu-west-1:111122223333:headrace-trial-alarms"
    store_secrets = {}
    jobs = {
      apply_changes = {
        kind     = "stream", worker_type = "G.1X", workers = 4, auto_scaling = true, timeout_minutes = 480, retries = 1, arguments = {}, spark = {},
        owns     = ["tables"], reads = [], dataset_folders = [], streams = ["changes", "arn:aws:kinesis:eu-west-1:444455556666:stream/partner"], writes_streams = [], stores = ["kafka"], documents = false, models = [],
        dynamodb = ["rooms", "arn:aws:dynamodb:eu-west-1:444455556666:table/theirs"], sns_topics = []
        secrets  = [], endpoints = [], topics = ["src.public.*"], writes_topics = [], assumes = ["arn:aws:iam::444455556666:role/streams"], schemas = true, comprehend = false
        kms_keys = ["arn:aws:kms:eu-west-1:444455556666:key/mrk-0a0a"]
      }
      index_knowledge = {
        kind   = "schedule", worker_type = "G.2X", workers = 2, auto_scaling = false, timeout_minutes = 60, retries = 0, arguments = {}, spark = {},
        owns   = ["passages"], reads = ["tables"], dataset_folders = [], streams = [], writes_streams = [], stores = ["opensearch"], documents = true, dynamodb = [], sns_topics = [],
        models = ["amazon.titan-embed-text-v2:0"], secrets = [], endpoints = [], topics = ["*"], writes_topics = [], assumes = [], kms_keys = [], schemas = false, comprehend = false
      }
      curate_dataset = {
        kind   = "schedule", worker_type = "G.1X", workers = 2, auto_scaling = false, timeout_minutes = 60, retries = 0, arguments = {}, spark = {},
        owns   = ["outbox", "tables/of.another"], reads = [], dataset_folders = [], streams = [], writes_streams = [], stores = ["kafka", "pgvector"], documents = false, dynamodb = [], sns_topics = ["alarms", "arn:aws:sns:eu-west-1:444455556666:on-call"],
        models = [], secrets = [], endpoints = [], topics = [], writes_topics = ["passages"], assumes = [], kms_keys = [], schemas = false, comprehend = true
      }
    }
  }

  assert {
    condition = alltrue([for job in aws_glue_job.this :
      job.glue_version == "6.0" && job.execution_class == "STANDARD" && job.execution_property[0].max_concurrent_runs == 1
    ])
    error_message = "Glue 6.0, the standard class, one run at a time."
  }

  assert {
    condition = aws_glue_job.this["apply_changes"].default_arguments["--custom-logGroup-prefix"] == "/headrace/trial/apply_changes" && length([
      for name in keys(aws_glue_job.this["apply_changes"].default_arguments) : name if strcontains(name, "continuous-log")
    ]) == 0
    error_message = "Glue 5 and newer take a prefix for the names of both log groups, and no longer --continuous-log-*."
  }

  assert {
    condition = { for name, group in aws_cloudwatch_log_group.job : name => group.retention_in_days if group.kms_key_id == var.kms_key_arn } == {
      for pair in setproduct(["apply_changes", "curate_dataset", "index_knowledge"], ["error", "output"]) : "/headrace/trial/${pair[0]}/${pair[1]}" => 30
    }
    error_message = "Both groups of each job are made here, with the key and an end."
  }

  assert {
    condition     = aws_glue_job.this["apply_changes"].command[0].name == "gluestreaming" && aws_glue_job.this["index_knowledge"].command[0].name == "glueetl"
    error_message = "A stream and a schedule are different commands of Glue."
  }

  assert {
    condition     = aws_glue_job.this["index_knowledge"].timeout == 60 && aws_glue_job.this["index_knowledge"].maintenance_window == null && aws_glue_job.this["apply_changes"].maintenance_window == "Sun:3"
    error_message = "A stream has a weekly window, a schedule has a limit."
  }

  assert {
    condition     = !strcontains(aws_iam_role_policy.job["apply_changes"].policy, "arn:aws:s3:::papers") && !strcontains(aws_iam_role_policy.job["apply_changes"].policy, "es:ESHttp")
    error_message = "A job may do nothing it was not given: no documents, no OpenSearch for apply_changes."
  }

  assert {
    condition = toset(flatten([for statement in jsondecode(aws_iam_role_policy.job["index_knowledge"].policy).Statement :
      [for resource in flatten([statement.Resource]) : resource if strcontains(resource, "/lake/tables")] if contains(flatten([statement.Action]), "s3:PutObject")
    ])) == toset([])
    error_message = "What a job only reads it cannot write."
  }

  assert {
    condition = { for statement in jsondecode(aws_iam_role_policy.job["apply_changes"].policy).Statement : statement.Sid => statement.Resource if contains(["AskComprehend", "Dynamodb", "SendAlerts"], statement.Sid) } == {
      Dynamodb = ["arn:aws:dynamodb:eu-west-1:111122223333:table/trial-rooms", "arn:aws:dynamodb:eu-west-1:444455556666:table/theirs"]
    }
    error_message = "A job may use the tables of DynamoDB it names, and tell no topic it does not."
  }

  assert {
    condition = { for statement in jsondecode(aws_iam_role_policy.job["curate_dataset"].policy).Statement : statement.Sid => statement.Resource if contains(["AskComprehend", "Dynamodb", "SendAlerts", "LeaveToOthers"], statement.Sid) } == {
      AskComprehend = ["*"]
      SendAlerts    = ["arn:aws:sns:eu-west-1:111122223333:headrace-trial-alarms", "arn:aws:sns:eu-west-1:444455556666:on-call"]
    }
    error_message = "The word alarms is the topic of the alarms; an ARN stands for itself."
  }

  assert {
    condition = [for statement in jsondecode(aws_iam_role_policy.job["apply_changes"].policy).Statement : statement if statement.Effect == "Deny"] == [{
      Sid = "LeaveToOthers", Effect = "Deny", Action = ["s3:DeleteObject", "s3:PutObject"], Resource = ["arn:aws:s3:::lake/lake/tables/of.another/*"]
    }]
    error_message = "What lies inside a job's folder and belongs to another it may not write."
  }

  assert {
    condition = { for statement in jsondecode(aws_iam_role_policy.job["apply_changes"].policy).Statement :
      statement.Sid => { action = statement.Action, resource = statement.Resource } if startswith(statement.Sid, "Kafka")
      } == {
      KafkaCluster = {
        action = ["kafka-cluster:Connect", "kafka-cluster:DescribeCluster"], resource = ["arn:aws:kafka:eu-west-1:111122223333:cluster/shop/0a0a"]
      }
      KafkaReadTopics = {
        action = ["kafka-cluster:DescribeTopic", "kafka-cluster:ReadData"], resource = ["arn:aws:kafka:eu-west-1:111122223333:topic/shop/0a0a/src.public.*"]
      }
      KafkaGroups = {
        action = ["kafka-cluster:AlterGroup", "kafka-cluster:DescribeGroup"], resource = ["arn:aws:kafka:eu-west-1:111122223333:group/shop/0a0a/*"]
      }
    }
    error_message = "A job that reads Kafka may read its topics and write none."
  }

  assert {
    condition = { for statement in jsondecode(aws_iam_role_policy.job["curate_dataset"].policy).Statement :
      statement.Sid => statement.Resource if contains(flatten([statement.Action]), "kafka-cluster:WriteData") || contains(flatten([statement.Action]), "kafka-cluster:WriteDataIdempotently") || contains(flatten([statement.Action]), "rds-db:connect")
      } == {
      KafkaCluster     = ["arn:aws:kafka:eu-west-1:111122223333:cluster/shop/0a0a"]
      KafkaWriteTopics = ["arn:aws:kafka:eu-west-1:111122223333:topic/shop/0a0a/passages"]
      Pgvector         = ["arn:aws:rds-db:eu-west-1:111122223333:dbuser:cluster-X/headrace_jobs"]
    }
    error_message = "A job that writes Kafka may write the topics it names, idempotently; Aurora lets it in as one user of one cluster."
  }

  assert {
    condition = { for one in jsondecode(aws_iam_role_policy.job["apply_changes"].policy).Statement : one.Sid => one.Resource if contains(["ReadStreams", "UseYourKeys"], one.Sid) } == {
      ReadStreams = ["arn:aws:kinesis:eu-west-1:111122223333:stream/trial-changes", "arn:aws:kinesis:eu-west-1:444455556666:stream/partner"]
      UseYourKeys = ["arn:aws:kms:eu-west-1:444455556666:key/mrk-0a0a"]
    }
    error_message = "A role may read a stream made elsewhere, which has an ARN, and use the key it is kept with."
  }

  assert {
    condition     = !strcontains(aws_iam_role_policy.job["index_knowledge"].policy, "kafka-cluster:") && !strcontains(aws_iam_role_policy.job["index_knowledge"].policy, "rds-db:") && !strcontains(aws_iam_role_policy.job["index_knowledge"].policy, "AssumeRole")
    error_message = "A job without Kafka or Aurora among its stores may use neither, and takes on no role."
  }

  assert {
    condition     = [for statement in jsondecode(aws_iam_role_policy.job["apply_changes"].policy).Statement : statement.Resource if contains(flatten([statement.Action]), "sts:AssumeRole")] == [["arn:aws:iam::444455556666:role/streams"]]
    error_message = "A role a job takes on is named whole."
  }

  assert {
    condition     = aws_glue_job.this["apply_changes"].default_arguments["--extra-jars"] == "s3://code/jars/${filesha256("tests/fixtures/login.jar")}/login.jar"
    error_message = "A jar lies under the hash of its content and is on Spark's class path."
  }

  assert {
    condition     = strcontains(aws_iam_role_policy.job["apply_changes"].policy, "glue:GetSchemaVersion") && !strcontains(aws_iam_role_policy.job["index_knowledge"].policy, "glue:GetSchemaVersion")
    error_message = "Only a job with `schemas` may ask for schema versions."
  }

  assert {
    condition     = strcontains(aws_iam_role_policy.job["index_knowledge"].policy, "foundation-model/amazon.titan-embed-text-v2:0")
    error_message = "A model is named, not all of them."
  }
}
