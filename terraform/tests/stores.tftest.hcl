# What the examples do not choose: Serverless instead of a domain, MSK Serverless, a network of one's own, a key of one's own.

mock_provider "aws" {
  source = "./tests/mocks"
}

variables {
  name           = "trial"
  package        = { wheel = "tests/fixtures/headrace-0.0.0-py3-none-any.whl" }
  config_file    = "tests/fixtures/headrace.yaml"
  scripts_folder = "tests/fixtures/jobs"
}

run "serverless_in_a_network_of_ones_own" {
  variables {
    network     = { mode = "existing", vpc_id = "vpc-0a0a0a0a", subnet_ids = ["subnet-0a0a0a0a", "subnet-0b0b0b0b"], security_group_ids = ["sg-0c0c0c0c"], egress = { crm = { port = 3306, security_group_id = "sg-0d0d0d0d" } } }
    streams     = { changes = {}, embeddings = {} }
    kafka       = {}
    kms_key_arn = "arn:aws:kms:eu-west-1:111122223333:key/0b0b0b0b-0000-4000-8000-000000000000"
    opensearch  = { mode = "serverless", standby = false }
    ingestion   = { index = "passages__1" }
    documents   = { buckets = ["arn:aws:s3:::papers"] }
  }

  assert {
    condition     = output.endpoints.opensearch == "https://mocked.aoss" && output.endpoints.kafka == "boot.mocked:9098"
    error_message = "The addresses of the stores are told."
  }

  assert {
    condition     = output.security_group == module.network.security_group_ids[0] && module.network.client_security_group_ids == [output.security_group, "sg-0c0c0c0c"]
    error_message = "Jobs and capture are in the group that is told, and in those that were given."
  }
}

run "no_network_at_all" {
  variables {
    access_logs = false
    athena      = null
    opensearch  = { instances = 1 }
    alarms      = { dashboard = false }
  }

  assert {
    condition     = output.dashboard == null && output.catalog.workgroup == null && output.documents == null
    error_message = "What was not asked for is not there."
  }
}
