locals {
  create   = var.settings.mode == "create"
  zones    = local.create ? slice(data.aws_availability_zones.here[0].names, 0, var.settings.zones) : []
  vpc_id   = local.create ? aws_vpc.this[0].id : var.settings.vpc_id
  subnets  = local.create ? aws_subnet.private[*].id : var.settings.subnet_ids
  on       = var.settings.mode != "none"
  services = local.create ? toset(var.settings.endpoints) : toset([])
}

data "aws_availability_zones" "here" {
  # checkov:skip=CKV_AWS_394: only the first zones of the sorted list are taken; a new zone comes behind them
  count = local.create ? 1 : 0
  state = "available"
}

# --- VPC ---

resource "aws_vpc" "this" {
  count = local.create ? 1 : 0

  cidr_block           = var.settings.cidr
  enable_dns_hostnames = true
  enable_dns_support   = true
  tags                 = merge(var.context.tags, { Name = "headrace-${var.context.name}" })
}

resource "aws_default_security_group" "closed" {
  count = local.create ? 1 : 0

  vpc_id = aws_vpc.this[0].id
  tags   = var.context.tags
}

resource "aws_subnet" "private" {
  count = length(local.zones)

  vpc_id            = aws_vpc.this[0].id
  cidr_block        = cidrsubnet(var.settings.cidr, 4, count.index)
  availability_zone = local.zones[count.index]
  tags              = merge(var.context.tags, { Name = "headrace-${var.context.name}-${local.zones[count.index]}" })
}

resource "aws_route_table" "private" {
  count = local.create ? 1 : 0

  vpc_id = aws_vpc.this[0].id
  tags   = merge(var.context.tags, { Name = "headrace-${var.context.name}" })
}

resource "aws_route_table_association" "private" {
  count = length(local.zones)

  subnet_id      = aws_subnet.private[count.index].id
  route_table_id = aws_route_table.private[0].id
}

# --- Ways to AWS without the internet ---

resource "aws_vpc_endpoint" "gateway" {
  for_each = local.create ? toset(["dynamodb", "s3"]) : toset([])

  vpc_id            = aws_vpc.this[0].id
  service_name      = "com.amazonaws.${var.context.region}.${each.key}"
  vpc_endpoint_type = "Gateway"
  route_table_ids   = [aws_route_table.private[0].id]
  tags              = var.context.tags
}

resource "aws_vpc_endpoint" "interface" {
  for_each = local.services

  vpc_id              = aws_vpc.this[0].id
  service_name        = "com.amazonaws.${var.context.region}.${each.key}"
  vpc_endpoint_type   = "Interface"
  private_dns_enabled = true
  subnet_ids          = aws_subnet.private[*].id
  security_group_ids  = [aws_security_group.inside[0].id]
  tags                = var.context.tags
}

# --- Security group of jobs and stores ---

resource "aws_security_group" "inside" {
  # checkov:skip=CKV2_AWS_5: attached by the modules that put stores and jobs into the network
  count = local.on ? 1 : 0

  name        = "headrace-${var.context.name}"
  description = "Jobs and stores of Headrace ${var.context.name}"
  vpc_id      = local.vpc_id
  tags        = var.context.tags
}

resource "aws_vpc_security_group_ingress_rule" "inside" {
  count = local.on ? 1 : 0

  description                  = "Glue wants its workers to reach each other on every port"
  security_group_id            = aws_security_group.inside[0].id
  referenced_security_group_id = aws_security_group.inside[0].id
  ip_protocol                  = "-1"

  lifecycle {
    ignore_changes = [description] # words are no reason to touch a rule, and emulators forget them
  }
}

resource "aws_vpc_security_group_egress_rule" "inside" {
  count = local.on ? 1 : 0

  description                  = "Workers, stores and endpoints of the same group"
  security_group_id            = aws_security_group.inside[0].id
  referenced_security_group_id = aws_security_group.inside[0].id
  ip_protocol                  = "-1"

  lifecycle {
    ignore_changes = [description] # words are no reason to touch a rule, and emulators forget them
  }
}

resource "aws_vpc_security_group_egress_rule" "https" {
  count = local.on ? 1 : 0

  description       = "HTTPS to S3 and DynamoDB through their gateways, whose addresses are public"
  security_group_id = aws_security_group.inside[0].id
  cidr_ipv4         = "0.0.0.0/0"
  from_port         = 443
  to_port           = 443
  ip_protocol       = "tcp"
}

resource "aws_vpc_security_group_egress_rule" "given" {
  for_each = local.on ? var.settings.egress : {}

  description                  = "To ${each.key}"
  security_group_id            = aws_security_group.inside[0].id
  cidr_ipv4                    = each.value.cidr
  referenced_security_group_id = each.value.security_group_id
  from_port                    = each.value.port
  to_port                      = each.value.port
  ip_protocol                  = "tcp"
}

# --- Glue's way into the network ---

resource "aws_glue_connection" "network" {
  count = local.on && var.attach_jobs ? 1 : 0

  name            = "headrace-${var.context.name}"
  connection_type = "NETWORK"
  tags            = var.context.tags

  physical_connection_requirements {
    availability_zone      = data.aws_subnet.jobs[0].availability_zone
    subnet_id              = local.subnets[0]
    security_group_id_list = concat([aws_security_group.inside[0].id], var.settings.security_group_ids)
  }
}

data "aws_subnet" "jobs" {
  count = local.on && var.attach_jobs ? 1 : 0
  id    = local.subnets[0]
}

# --- Flow logs ---

resource "aws_cloudwatch_log_group" "flow" {
  # checkov:skip=CKV_AWS_338: how long logs are kept is log_retention_days, a year by default; `minimal` says two weeks
  count = local.create ? 1 : 0

  name              = "/headrace/${var.context.name}/flow"
  retention_in_days = var.log_retention_days
  kms_key_id        = var.kms_key_arn
  tags              = var.context.tags
}

resource "aws_flow_log" "this" {
  count = local.create ? 1 : 0

  vpc_id          = aws_vpc.this[0].id
  traffic_type    = "ALL"
  log_destination = aws_cloudwatch_log_group.flow[0].arn
  iam_role_arn    = aws_iam_role.flow[0].arn
  tags            = var.context.tags
}

resource "aws_iam_role" "flow" {
  count = local.create ? 1 : 0

  name = "headrace-${var.context.name}-flow-logs"
  tags = var.context.tags

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "vpc-flow-logs.amazonaws.com" }
      Action    = "sts:AssumeRole"
      Condition = { StringEquals = { "aws:SourceAccount" = var.context.account_id } }
    }]
  })
}

resource "aws_iam_role_policy" "flow" {
  count = local.create ? 1 : 0

  name = "write"
  role = aws_iam_role.flow[0].id

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid      = "FlowLogs"
      Effect   = "Allow"
      Action   = ["logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"]
      Resource = "${aws_cloudwatch_log_group.flow[0].arn}:*"
    }]
  })
}
