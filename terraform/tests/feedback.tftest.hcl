# Conversations on AWS: what is watched of feedback, who may be told, and tables for served rows.

mock_provider "aws" {
  source          = "./tests/mocks"
  override_during = plan
}

variables {
  name           = "trial"
  package        = { wheel = "tests/fixtures/headrace-0.0.0-py3-none-any.whl", bundle = null, jars = [] }
  config_file    = "tests/fixtures/feedback.yaml"
  scripts_folder = "tests/fixtures/jobs"
  streams        = { changes = {}, events = {} }
  context        = { name = "trial", tags = {}, region = "eu-west-1", account_id = "111122223333", partition = "aws" }
}

run "feedback_is_watched_by_source" {
  command = plan

  variables {
    jobs = {
      track_feedback = { kind = "stream", streams = ["events"], owns = ["turns", "measures"], watches = "feedback", sns_topics = ["alarms"] }
    }
  }

  assert {
    condition = toset([for name in output.alarms.names : name if strcontains(name, "-track_feedback-")]) == toset([
      for kind in ["heartbeat", "lag", "freshness", "rejected"] : "trial-${kind}-track_feedback-app"
    ])
    error_message = "Each source of feedback is watched as the sources of other streams are."
  }

  assert {
    condition     = contains(local.asked, "sns") && !contains(local.asked, "comprehend")
    error_message = "A network without internet gets a way to SNS."
  }

  assert {
    condition     = strcontains(local.config, "topic: \"${output.alarms.topic}\"")
    error_message = "The settings name the topic of the alarms as $${ALARMS}."
  }
}

run "a_lag_of_served_rows_is_an_alarm" {
  command = plan

  variables {
    dynamodb = { rooms = { served = true, expires_at = "expires" } }
    jobs = {
      apply_changes = { kind = "stream", streams = ["events"], owns = ["tables"], watches = "sources", dynamodb = ["rooms"] }
    }
  }

  assert {
    condition = toset([for name in output.alarms.names : name if strcontains(name, "-lag-")]) == toset([
      "trial-lag-apply_changes-app", "trial-lag-apply_changes-serve-live",
    ])
    error_message = "A store of served rows that is behind is told."
  }
}

run "measures_have_a_place_on_the_dashboard" {
  command = plan

  module {
    source = "./modules/observability"
  }

  variables {
    settings          = { emails = [], dashboard = true, lag_seconds = 1, freshness_seconds = 1, rejected_rows = 0, heartbeat_minutes = 3, iterator_age_seconds = 1, dms_latency_seconds = 1, opensearch_free_gb = 1, cpu_percent = 1 }
    kms_key_arn       = "arn:aws:kms:eu-west-1:111122223333:key/mine"
    missed_starts     = "missed"
    lost_events       = null
    streams           = { events = "trial-events" }
    dms_tasks         = {}
    opensearch_domain = null
    documentdb        = null
    neptune           = null
    pgvector          = null
    dynamodb_tables   = []
    jobs = {
      one   = { glue_job = "trial-one", stream = true, sources = { for metric in ["BatchSeconds", "FreshnessSeconds", "Heartbeat", "LagSeconds", "RowsApplied", "RowsRejected", "RowsStale"] : metric => ["app"] }, measures = ["errors", "csat", "turns", "cost", "latency"] }
      other = { glue_job = "trial-other", stream = true, sources = { for metric in ["BatchSeconds", "FreshnessSeconds", "Heartbeat", "LagSeconds", "RowsApplied", "RowsRejected", "RowsStale"] : metric => ["shop"] }, measures = [] }
    }
  }

  assert {
    condition = [for one in jsondecode(aws_cloudwatch_dashboard.this[0].dashboard_body).widgets : [one.x, one.y] if strcontains(one.properties.title, "rows it is of")] == [
      [0, 12], [6, 12], [12, 12], [18, 12], [0, 18],
    ]
    error_message = "Four measures in a row below the rows of the two jobs."
  }

  assert {
    condition     = [for one in jsondecode(aws_cloudwatch_dashboard.this[0].dashboard_body).widgets : one.y if startswith(one.properties.title, "trial-events")] == [24]
    error_message = "Streams stand below the measures."
  }

  assert {
    condition     = jsondecode(aws_cloudwatch_dashboard.this[0].dashboard_body).widgets[12].properties.metrics[0] == ["Headrace", "MeasureValue", "Name", "trial", "Job", "one", "Source", "errors", { stat = "Average" }]
    error_message = "A measure's name is the Source of its metric."
  }
}

run "served_rows_are_found_by_five_indexes" {
  command = plan

  module {
    source = "./modules/profile_store"
  }

  variables {
    kms_key_arn         = "arn:aws:kms:eu-west-1:111122223333:key/mine"
    subnet_ids          = []
    security_group_ids  = []
    deletion_protection = true
    documentdb          = null
    neptune             = null
    dynamodb = {
      rooms         = { key = "pk", sort_key = null, expires_at = "expires", served = true }
      conversations = { key = "pk", sort_key = null, expires_at = "expires", served = false }
    }
  }

  assert {
    condition = { for one in aws_dynamodb_table.this["rooms"].global_secondary_index : one.name => [one.hash_key, one.range_key, one.projection_type] } == {
      for place in range(5) : "find${place}" => ["find${place}", "pk", "KEYS_ONLY"]
    }
    error_message = "Each index has its own name as its key, and the rows' key behind it."
  }

  assert {
    condition     = length(aws_dynamodb_table.this["conversations"].global_secondary_index) == 0 && aws_dynamodb_table.this["conversations"].hash_key == "pk"
    error_message = "A table of conversations has a key and no index."
  }

  assert {
    condition = alltrue([for table in aws_dynamodb_table.this :
      table.ttl[0].attribute_name == "expires" && table.ttl[0].enabled && table.point_in_time_recovery[0].enabled && table.server_side_encryption[0].kms_key_arn == var.kms_key_arn && table.deletion_protection_enabled
    ])
    error_message = "Every table forgets what has expired, can be restored, and is kept with the key."
  }
}

run "served_rows_without_time_to_live_are_refused" {
  command = plan

  variables {
    dynamodb = { rooms = { served = true } }
  }

  expect_failures = [var.dynamodb]
}

run "a_table_that_is_not_there_is_refused" {
  command = plan

  variables {
    jobs = { apply_changes = { kind = "stream", owns = ["tables"], dynamodb = ["rooms"] } }
  }

  expect_failures = [var.jobs]
}

run "dynamodb_as_one_store_is_refused" {
  command = plan

  variables {
    dynamodb = { rooms = { served = true, expires_at = "expires" } }
    jobs     = { apply_changes = { kind = "stream", owns = ["tables"], stores = ["dynamodb"] } }
  }

  expect_failures = [var.jobs]
}

run "a_topic_that_is_none_is_refused" {
  command = plan

  variables {
    jobs = { track_feedback = { kind = "stream", owns = ["measures"], sns_topics = ["on-call"] } }
  }

  expect_failures = [var.jobs]
}

run "a_folder_with_a_dot_lies_inside_another_jobs" {
  command = plan

  variables {
    jobs = {
      apply_changes  = { kind = "stream", owns = ["tombstones"] }
      track_feedback = { kind = "stream", owns = ["tombstones/track.feedback"] }
    }
  }

  assert {
    condition     = length(output.jobs) == 2
    error_message = "No table of the settings has a dot in its name, so nobody else writes there."
  }
}

run "one_folder_with_a_dot_for_two_jobs_is_refused" {
  command = plan

  variables {
    jobs = {
      apply_changes  = { kind = "stream", owns = ["tombstones/track.feedback"] }
      track_feedback = { kind = "stream", owns = ["tombstones/track.feedback"] }
    }
  }

  expect_failures = [var.jobs]
}

run "a_job_of_feedback_without_settings_is_refused" {
  command = plan

  variables {
    config_file = "tests/fixtures/headrace.yaml"
    jobs        = { track_feedback = { kind = "stream", owns = ["measures"], watches = "feedback" } }
  }

  expect_failures = [terraform_data.settings_fit]
}

run "a_plain_secret_of_a_webhook_is_refused" {
  command = plan

  variables {
    config_file = "tests/fixtures/secret_of_a_webhook.yaml"
  }

  expect_failures = [terraform_data.settings_fit]
}
