output "missed_starts" {
  description = "Name of the queue of starts that failed."
  value       = aws_sqs_queue.missed.name
}
