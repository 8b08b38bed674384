# What an emulator (moto) lacks, switched off. Every line is a choice you may make yourself; the default is on, or
# `complete` asks for it.
#   terraform apply -var-file=examples/complete/headrace.tfvars -var-file=emulator.tfvars
# First take out what names a store that is off, in a copy: `stores` of the jobs, ${OPENSEARCH} of the settings.

enforce_tls         = false # it ignores conditions: the denial of calls without TLS would deny every call
jobs_in_network     = false # it does not give the type of a Glue connection back
maintenance_window  = null  # it does not keep a job's window
force_destroy       = true  # not for its sake: what is tried is destroyed again
deletion_protection = false # the same

documents        = { bucket = true, events = false } # it forgets that a bucket tells EventBridge
dynamodb_capture = {}                                # no streaming destinations
kafka            = null                              # no brokers
debezium         = null                              # no MSK Connect
dms              = null                              # no replication instances
documentdb       = null                              # no such engine
kendra           = null                              # no indexes
neptune          = null                              # refuses IAM authentication
mlflow           = null                              # no tracking servers
opensearch       = null                              # 250 s for a domain
ingestion        = null                              # no pipelines
pgvector         = null                              # does not give every setting of Aurora back
