# The job build_profiles: what it is measured by, and what its role may do.

mock_provider "aws" {
  source          = "./tests/mocks"
  override_during = plan
}

variables {
  name           = "trial"
  package        = { wheel = "tests/fixtures/headrace-0.0.0-py3-none-any.whl", bundle = null, jars = [] }
  config_file    = "tests/fixtures/profiles.yaml"
  scripts_folder = "tests/fixtures/jobs"
}

run "people_and_stores_are_watched" {
  command = plan

  variables {
    dynamodb = { profiles = { expires_at = "expires" }, sessions = { sort_key = "sk" } }
    jobs = {
      build_profiles = { kind = "stream", owns = ["profiles"], reads = ["tables"], dynamodb = ["profiles"], watches = "people" }
    }
  }

  assert {
    condition = toset([for name in output.alarms.names : name if strcontains(name, "-build_profiles-")]) == toset([
      "trial-heartbeat-build_profiles-people", "trial-lag-build_profiles-main", "trial-rejected-build_profiles-people",
    ])
    error_message = "Its heartbeat and its rejects are those of people, its lag that of a store."
  }

  assert {
    condition     = output.dynamodb["profiles"].table == "trial-profiles" && length(output.dynamodb) == 2
    error_message = "The names of the tables are told, as the settings need them."
  }
}

run "two_jobs_share_the_outbox_by_folders" {
  command = plan

  variables {
    jobs = {
      build_profiles  = { kind = "stream", owns = ["outbox/profiles"] }
      index_knowledge = { kind = "stream", owns = ["outbox/passages"] }
    }
  }

  assert {
    condition     = length(output.jobs) == 2
    error_message = "Two folders of the outbox have two owners."
  }
}

run "all_of_the_outbox_for_one_is_refused" {
  command = plan

  variables {
    jobs = {
      build_profiles  = { kind = "stream", owns = ["outbox/profiles"] }
      index_knowledge = { kind = "stream", owns = ["outbox"] }
    }
  }

  expect_failures = [var.jobs]
}

run "role" {
  command = plan

  module {
    source = "./modules/jobs"
  }

  variables {
    context                = { name = "trial", tags = {}, region = "eu-west-1", account_id = "111122223333", partition = "aws" }
    config                 = "lake: s3://x"
    code_bucket            = { name = "code", arn = "arn:aws:s3:::code" }
    lake_bucket            = { name = "lake", arn = "arn:aws:s3:::lake" }
    catalog_database       = "headrace_trial"
    streams                = {}
    maintenance_window     = null
    security_configuration = "headrace-trial"
    in_network             = false
    connections            = []
    subnet_ids             = []
    security_group_ids     = []
    kms_key_arn            = "arn:aws:kms:eu-west-1:111122223333:key/mine"
    log_retention_days     = 30
    document_buckets       = []
    store_arns = {
      domain = [], collection = [], pgvector = [], neptune = ["arn:aws:neptune-db:eu-west-1:111122223333:cluster-X/*"], kendra = [], kafka = []
    }
    tables        = { profiles = "arn:aws:dynamodb:eu-west-1:111122223333:table/trial-profiles", sessions = "arn:aws:dynamodb:eu-west-1:111122223333:table/trial-sessions" }
    alarms_topic  = "arn:aws:sns:eu-west-1:111122223333:headrace-trial-alarms"
    store_secrets = { documentdb = "arn:aws:secretsmanager:eu-west-1:111122223333:secret:rds-X" }
    jobs = {
      build_profiles = {
        kind      = "stream", worker_type = "G.1X", workers = 2, auto_scaling = true, timeout_minutes = 480, retries = 1, arguments = {}, spark = {},
        owns      = ["profiles", "outbox/profiles"], reads = ["tables", "changed_keys"], dataset_folders = [], streams = [], writes_streams = [], stores = [], dynamodb = ["profiles"], sns_topics = [],
        documents = false, models = [], endpoints = [], topics = [], writes_topics = [], assumes = [], schemas = false, comprehend = false, kms_keys = []
        secrets   = ["arn:aws:secretsmanager:eu-west-1:111122223333:secret:trial-profiles-AbCdEf"]
      }
    }
  }

  assert {
    condition = [for one in jsondecode(aws_iam_role_policy.job["build_profiles"].policy).Statement : one if contains(["Dynamodb", "ReadSecrets", "Neptune"], one.Sid)] == [
      {
        Sid      = "ReadSecrets", Effect = "Allow", Action = ["secretsmanager:GetSecretValue"]
        Resource = ["arn:aws:secretsmanager:eu-west-1:111122223333:secret:trial-profiles-AbCdEf"]
      },
      {
        Sid      = "Dynamodb", Effect = "Allow"
        Action   = ["dynamodb:DescribeTable", "dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:Scan", "dynamodb:UpdateItem"]
        Resource = ["arn:aws:dynamodb:eu-west-1:111122223333:table/trial-profiles"]
      },
    ]
    error_message = "It may use its table and the secret of its hashes; DocumentDB's secret and Neptune only where its stores name them."
  }

  assert {
    condition = alltrue([for one in jsondecode(aws_iam_role_policy.job["build_profiles"].policy).Statement : alltrue([
      for place in ["arn:aws:s3:::lake/lake/profiles/*", "arn:aws:s3:::lake/lake/outbox/profiles/*", "arn:aws:s3:::lake/lake/checkpoints/build_profiles/*"] : contains(one.Resource, place)
    ]) && !contains(one.Resource, "arn:aws:s3:::lake/lake/publishers/*") if one.Sid == "WriteLake"])
    error_message = "It may write its folders and its own state, and nothing of index_knowledge."
  }
}
