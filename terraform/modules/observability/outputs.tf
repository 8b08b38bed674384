output "alarms" {
  description = "Names of all alarms."
  value       = [for alarm in aws_cloudwatch_metric_alarm.this : alarm.alarm_name]
}

output "topic_arn" {
  description = "The topic alarms go to."
  value       = aws_sns_topic.alarms.arn
}

output "dashboard" {
  description = "Name of the dashboard; null without."
  value       = one(aws_cloudwatch_dashboard.this[*].dashboard_name)
}
