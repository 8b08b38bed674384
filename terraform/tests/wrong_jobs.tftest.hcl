# Wrong entries of `jobs`, beside those of wrong_variables.

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

run "a_folder_with_a_slash_behind_it" {
  command = plan
  variables {
    jobs = { apply_changes = { kind = "stream", owns = ["tables/"] } }
  }
  expect_failures = [var.jobs]
}

run "every_folder" {
  command = plan
  variables {
    jobs = { apply_changes = { kind = "stream", owns = ["*"] } }
  }
  expect_failures = [var.jobs]
}

run "a_folder_without_a_name" {
  command = plan
  variables {
    jobs = { apply_changes = { kind = "stream", owns = ["tables", ""] } }
  }
  expect_failures = [var.jobs]
}

run "no_folder" {
  command = plan
  variables {
    jobs = { apply_changes = { kind = "stream", owns = [] } }
  }
  expect_failures = [var.jobs]
}

run "a_pattern_to_read" {
  command = plan
  variables {
    jobs = { apply_changes = { kind = "stream", owns = ["tables"], reads = ["history/*"] } }
  }
  expect_failures = [var.jobs]
}

run "a_store_that_is_not_made" {
  command = plan
  variables {
    jobs = { apply_changes = { kind = "stream", owns = ["tables"], stores = ["opensearch"] } }
  }
  expect_failures = [var.jobs]
}

run "a_stream_of_another_service" {
  command = plan
  variables {
    jobs = { apply_changes = { kind = "stream", owns = ["tables"], streams = ["arn:aws:sqs:eu-west-1:111122223333:queue"] } }
  }
  expect_failures = [var.jobs]
}

run "an_alias_of_a_key" {
  command = plan
  variables {
    jobs = { apply_changes = { kind = "stream", owns = ["tables"], kms_keys = ["arn:aws:kms:eu-west-1:111122223333:alias/mine"] } }
  }
  expect_failures = [var.jobs]
}

run "a_secret_by_its_name" {
  command = plan
  variables {
    jobs = { apply_changes = { kind = "stream", owns = ["tables"], secrets = ["shop-db"] } }
  }
  expect_failures = [var.jobs]
}

run "cron_of_hour_24" {
  command = plan
  variables {
    jobs = { curate_dataset = { kind = "schedule", when = "cron(30 24 * * ? *)", owns = ["datasets"] } }
  }
  expect_failures = [var.jobs]
}

run "cron_of_day_32" {
  command = plan
  variables {
    jobs = { curate_dataset = { kind = "schedule", when = "cron(30 2 32 * ? *)", owns = ["datasets"] } }
  }
  expect_failures = [var.jobs]
}

run "cron_of_month_13" {
  command = plan
  variables {
    jobs = { curate_dataset = { kind = "schedule", when = "cron(30 2 1 13 ? *)", owns = ["datasets"] } }
  }
  expect_failures = [var.jobs]
}

run "cron_of_weekday_8" {
  command = plan
  variables {
    jobs = { curate_dataset = { kind = "schedule", when = "cron(30 2 ? * 8 *)", owns = ["datasets"] } }
  }
  expect_failures = [var.jobs]
}

run "crons_eventbridge_takes" {
  command = plan
  variables {
    jobs = {
      apply_changes   = { kind = "schedule", when = "cron(0/15 8-18 ? * MON-FRI *)", owns = ["tables"] }
      curate_dataset  = { kind = "schedule", when = "cron(0 0 L JAN,JUL ? 2026-2030)", owns = ["datasets"] }
      index_knowledge = { kind = "schedule", when = "cron(*/10 1,13 ? * 2#1 *)", owns = ["passages"] }
    }
  }
}

run "all_jobs_switched_off" {
  command = plan

  module {
    source = "./modules/observability"
  }

  variables {
    context = { name = "trial", tags = {}, region = "eu-west-1", account_id = "111122223333", partition = "aws" }
    settings = {
      emails               = [], dashboard = true, lag_seconds = 1, freshness_seconds = 1, rejected_rows = 0, heartbeat_minutes = 3
      iterator_age_seconds = 1, dms_latency_seconds = 1, opensearch_free_gb = 1, cpu_percent = 85
    }
    kms_key_arn       = "arn:aws:kms:eu-west-1:111122223333:key/mine"
    jobs              = {}
    missed_starts     = "missed"
    lost_events       = null
    streams           = {}
    dms_tasks         = {}
    opensearch_domain = null
    documentdb        = null
    neptune           = null
    pgvector          = null
    dynamodb_tables   = []
  }

  assert {
    condition     = length(aws_cloudwatch_event_rule.job_ended) == 0 && length(aws_cloudwatch_event_target.job_ended) == 0
    error_message = "Without a job that runs there is no rule, as EventBridge takes none for no job."
  }
}
