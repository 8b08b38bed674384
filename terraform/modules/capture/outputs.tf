output "dms_tasks" {
  description = "Each DMS task by the name of its source, as CloudWatch knows it, with the instance it runs on."
  value = { for name, task in aws_dms_replication_task.this : name => {
    task     = element(split(":", task.replication_task_arn), 6)
    instance = aws_dms_replication_instance.this[0].replication_instance_id
  } }
}

output "lost_events" {
  description = "Name of the queue of object events no stream took; null without."
  value       = one(aws_sqs_queue.objects[*].name)
}
