# The example `minimal`. Run with its own variables:
#   terraform test -test-directory=tests/minimal -var-file=examples/minimal/headrace.tfvars

mock_provider "aws" {
  source = "./tests/mocks"
}

variables {
  package        = { wheel = "tests/fixtures/headrace-0.0.0-py3-none-any.whl" }
  scripts_folder = "tests/fixtures/jobs"
}

run "one_stream_and_one_job" {
  assert {
    condition     = keys(output.jobs) == ["apply_changes"] && keys(output.streams) == ["changes"]
    error_message = "It has one job and one stream."
  }

  assert {
    condition     = alltrue([for address in values(output.endpoints) : address == ""])
    error_message = "It has no store but the lake."
  }
}
