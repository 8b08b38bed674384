# The job curate_dataset: when it starts, what is shown of it, what its role and that of training may do.

mock_provider "aws" {
  source          = "./tests/mocks"
  override_during = plan
}

variables {
  name           = "trial"
  package        = { wheel = "tests/fixtures/headrace-0.0.0-py3-none-any.whl", bundle = null, jars = [] }
  config_file    = "tests/fixtures/datasets.yaml"
  scripts_folder = "tests/fixtures/jobs"
  context        = { name = "trial", tags = {}, region = "eu-west-1", account_id = "111122223333", partition = "aws" }
  lake_bucket    = { name = "lake", arn = "arn:aws:s3:::lake" }
  kms_key_arn    = "arn:aws:kms:eu-west-1:111122223333:key/0a0a0a0a-0000-4000-8000-000000000000"
}

run "a_run_ends_and_its_datasets_are_shown" {
  command = plan

  variables {
    jobs = {
      apply_changes  = { kind = "stream", owns = ["tables"] }
      curate_dataset = { kind = "schedule", when = "rate(12 hours)", owns = ["datasets"], watches = "datasets" }
    }
  }

  assert {
    condition     = output.job_arguments["curate_dataset"]["--once"] == "true" && !contains(keys(output.job_arguments["apply_changes"]), "--once")
    error_message = "A job on a schedule is told to end, a stream is not."
  }

  assert {
    condition     = jsonencode({ for metric, names in local.measured.datasets : metric => names if length(names) > 0 }) == jsonencode({ RowsApplied = ["replies", "support"] })
    error_message = "Rows of each dataset are shown; what is refused is no fault."
  }

  assert {
    condition     = length([for name in output.alarms.names : name if strcontains(name, "-curate_dataset-")]) == 0
    error_message = "A job that rests most of the day has no heartbeat; that it failed or was not started is told otherwise."
  }
}

run "it_starts_when_it_is_told_and_can_be_switched_off" {
  command = plan

  module {
    source = "./modules/schedules"
  }

  variables {
    jobs = {
      curate_dataset = { glue_job = "trial-curate_dataset", when = "cron(30 2 * * ? *)", timezone = "Europe/Lisbon", stream = false, enabled = true }
      other          = { glue_job = "trial-other", when = "rate(12 hours)", timezone = "UTC", stream = false, enabled = false }
    }
  }

  assert {
    condition = { for job, one in aws_scheduler_schedule.job : job => [one.state, one.schedule_expression, one.schedule_expression_timezone] } == {
      curate_dataset = ["ENABLED", "cron(30 2 * * ? *)", "Europe/Lisbon"]
      other          = ["DISABLED", "rate(12 hours)", "UTC"]
    }
    error_message = "One schedule for each job, as its entry says."
  }

  assert {
    condition     = jsondecode(aws_scheduler_schedule.job["curate_dataset"].target[0].input) == { JobName = "trial-curate_dataset" } && aws_scheduler_schedule.job["curate_dataset"].target[0].retry_policy[0].maximum_retry_attempts == 3
    error_message = "It starts Glue's job of that name, and tries again."
  }
}

run "role" {
  command = plan

  module {
    source = "./modules/jobs"
  }

  variables {
    config                 = "lake: s3://x"
    code_bucket            = { name = "code", arn = "arn:aws:s3:::code" }
    catalog_database       = "headrace_trial"
    streams                = {}
    maintenance_window     = null
    security_configuration = "headrace-trial"
    in_network             = false
    connections            = []
    subnet_ids             = []
    security_group_ids     = []
    log_retention_days     = 30
    document_buckets       = []
    store_arns             = { domain = [], collection = [], pgvector = [], neptune = [], kendra = [], kafka = [] }
    tables                 = {}
    alarms_topic           = "arn:aws:sns:eu-west-1:111122223333:headrace-trial-alarms"
    store_secrets          = {}
    jobs = {
      curate_dataset = {
        kind            = "schedule", worker_type = "G.1X", workers = 2, auto_scaling = true, timeout_minutes = 60, retries = 1, arguments = {}, spark = {},
        owns            = ["datasets/exports", "erasures/curate_dataset"], reads = ["turns"], streams = [], writes_streams = [], stores = [], dynamodb = [], sns_topics = [],
        dataset_folders = ["arn:aws:s3:::training/datasets", "arn:aws:s3:::training/b"]
        documents       = false, models = [], endpoints = [], topics = [], writes_topics = [], assumes = [], schemas = false, comprehend = false, kms_keys = [], secrets = []
      }
    }
  }

  assert {
    condition = [for one in jsondecode(aws_iam_role_policy.job["curate_dataset"].policy).Statement : one if endswith(one.Sid, "Datasets")] == [
      { Sid = "ListDatasets", Effect = "Allow", Action = ["s3:GetBucketLocation", "s3:ListBucket"], Resource = ["arn:aws:s3:::training"] },
      {
        Sid      = "WriteDatasets", Effect = "Allow", Action = ["s3:AbortMultipartUpload", "s3:DeleteObject", "s3:GetObject", "s3:PutObject"]
        Resource = ["arn:aws:s3:::training/datasets", "arn:aws:s3:::training/datasets/*", "arn:aws:s3:::training/b", "arn:aws:s3:::training/b/*"]
      },
    ]
    error_message = "It may write versions where the settings say, and nothing else of that bucket."
  }

  assert {
    condition = alltrue([for one in jsondecode(aws_iam_role_policy.job["curate_dataset"].policy).Statement :
      contains(one.Resource, "arn:aws:s3:::lake/lake/datasets/exports/*") && contains(one.Resource, "arn:aws:s3:::lake/lake/datasets/") && length([for place in one.Resource : place if strcontains(place, "/turns")]) == 0 if one.Sid == "WriteLake"
    ])
    error_message = "What a dataset is made of it may only read."
  }

  assert {
    condition     = aws_glue_job.this["curate_dataset"].command[0].name == "glueetl" && aws_glue_job.this["curate_dataset"].timeout == 60
    error_message = "It is a job with an end."
  }
}

run "training_reads_what_was_written" {
  command = plan

  module {
    source = "./modules/training"
  }

  variables {
    mlflow          = null
    dataset_folders = ["arn:aws:s3:::training/a/datasets"]
  }

  assert {
    condition = { for one in jsondecode(aws_iam_role_policy.training.policy).Statement : one.Sid => one.Resource if endswith(one.Sid, "Datasets") || startswith(one.Sid, "ListDatasets") } == {
      ReadDatasets  = ["arn:aws:s3:::lake/lake/datasets/exports/*", "arn:aws:s3:::training/a/datasets/*"]
      ListDatasets  = "arn:aws:s3:::lake"
      ListDatasets1 = "arn:aws:s3:::training"
    }
    error_message = "Training reads versions in the lake and in the folders outside of it."
  }

  assert {
    condition = [for one in jsondecode(aws_iam_role_policy.training.policy).Statement : one.Condition if one.Sid == "ListDatasets1"] == [
      { StringLike = { "s3:prefix" = ["a/datasets/*"] } },
    ]
    error_message = "It lists those folders, not the bucket."
  }
}

run "a_whole_bucket_for_datasets_is_refused" {
  command = plan

  variables {
    jobs = { curate_dataset = { kind = "schedule", when = "rate(1 day)", owns = ["datasets"], dataset_folders = ["arn:aws:s3:::training"] } }
  }

  expect_failures = [var.jobs]
}

run "a_job_of_datasets_without_settings_is_refused" {
  command = plan

  variables {
    config_file = "tests/fixtures/headrace.yaml"
    jobs        = { curate_dataset = { kind = "schedule", when = "rate(1 day)", owns = ["datasets"], watches = "datasets" } }
  }

  expect_failures = [terraform_data.settings_fit]
}

run "a_plain_key_of_datasets_is_refused" {
  command = plan

  variables {
    config_file = "tests/fixtures/key_of_datasets.yaml"
  }

  expect_failures = [terraform_data.settings_fit]
}
