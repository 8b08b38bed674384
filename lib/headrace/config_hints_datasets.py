"""What every key below `datasets` expects, with an example: merged into `HINTS`."""

from headrace.config_hints_chat import CHAT

_SET = "support: {kind: sft, formats: [trl_sft]}"
_TO = "role: 'arn:aws:iam::123456789012:role/t', output: 's3://bucket/models'"
_LAUNCH = f"bedrock: {{service: bedrock, base_model: nova, {_TO}}}"
_ASKED = "{provider: bedrock, model: eu.amazon.nova-lite-v1:0}"
_COUNT = "a whole number above 0"
_SHARE = "a number above 0 and below 1"
_BOOLEAN = "true or false"
_TURNS = {"tenant": "acme", "channel": "web", "language": "en", "intent": "refund", "model": "small"}

DATASETS: dict[str, tuple[str, str]] = {
    "datasets": (
        "which datasets are made: a mapping with key and sets",
        f"datasets: {{key: {{secret: env:DATASETS_KEY}}, sets: {{{_SET}}}}}",
    ),
    "datasets.key": ("a secret, at least 16 characters", "key: {secret: env:DATASETS_KEY}"),
    "datasets.folder": ("a folder, or s3://bucket/folder", "folder: s3://bucket/datasets"),
    "datasets.keep": ("a duration such as 90s, 15m, 12h or 7 days", "keep: 365 days"),
    "datasets.mlflow": ("where versions are told to MLflow: a mapping with uri", "mlflow: {uri: 'sqlite:///mlflow.db'}"),
    "datasets.mlflow.uri": ("a tracking URI of MLflow", "uri: 'sqlite:///mlflow.db'"),
    "datasets.mlflow.experiment": ("the name of an experiment", "experiment: headrace"),
    "datasets.sets": ("datasets by name, at least one", f"sets: {{{_SET}}}"),
    "datasets.sets.*": ("a dataset: a mapping with kind and formats", _SET),
    "datasets.sets.*.kind": ("one of sft, kto, dpo, text", "kind: sft"),
    "datasets.sets.*.formats": ("names of formats, at least one (docs/dataset-formats.md)", "formats: [trl_sft]"),
    "datasets.sets.*.purpose": ("what a person must have agreed to, or null", "purpose: training"),
    "datasets.sets.*.raters": ("one or more of person, agent, model", "raters: [person, agent]"),
    "datasets.sets.*.stars": ("what stars say: a mapping with bad and good", "stars: {bad: 2, good: 4}"),
    "datasets.sets.*.stars.bad": ("a whole number from 1 to 5", "bad: 2"),
    "datasets.sets.*.stars.good": ("a whole number from 1 to 5", "good: 4"),
    "datasets.sets.*.where": ("which turns: values by column", "where: {language: [en]}"),
    **{
        f"datasets.sets.*.where.{name}": ("values, of which a turn has one", f"{name}: [{value}]")
        for name, value in _TURNS.items()
    },
    "datasets.sets.*.since": ("a day", "since: 2026-01-31"),
    "datasets.sets.*.history": ("a whole number from 0 to 100", "history: 10"),
    "datasets.sets.*.system": ("a text", "system: You answer questions of travellers."),
    "datasets.sets.*.context": (_BOOLEAN, "context: false"),
    "datasets.sets.*.feeds": ("names of feeds of knowledge", "feeds: [policies]"),
    "datasets.sets.*.audience": ("readers, as documents name them", "audience: [staff]"),
    "datasets.sets.*.languages": ("languages such as en", "languages: [en, de]"),
    "datasets.sets.*.tokens": (_COUNT, "tokens: 8000"),
    "datasets.sets.*.replace": (_BOOLEAN, "replace: true"),
    "datasets.sets.*.regions": ("countries as ISO 3166 has them", "regions: [DE, GB]"),
    "datasets.sets.*.public": ("addresses and numbers that stay", "public: ['@airline.example']"),
    "datasets.sets.*.names": ("fields of profiles", "names: [name]"),
    "datasets.sets.*.similar": ("a number from 0.5 to 1", "similar: 0.8"),
    "datasets.sets.*.evaluation": ("files with questions", "evaluation: [./evaluation.jsonl]"),
    "datasets.sets.*.splits": (
        "shares that add up to 1: train, validation, test", "splits: {train: 0.9, validation: 0.05, test: 0.05}",
    ),
    "datasets.sets.*.splits.train": (_SHARE, "train: 0.9"),
    "datasets.sets.*.splits.validation": (_SHARE, "validation: 0.05"),
    "datasets.sets.*.splits.test": ("a number from 0, below 1", "test: 0.05"),
    "datasets.sets.*.files": (_COUNT, "files: 4"),
    "datasets.sets.*.licence": ("a text", "licence: internal"),
    "datasets.sets.*.use": ("a text", "use: answers of our support"),
    "datasets.sets.*.launch": ("training jobs by name", f"launch: {{{_LAUNCH}}}"),
    "datasets.sets.*.launch.*": ("a training job: a mapping with service, role and output", _LAUNCH),
    "datasets.sets.*.launch.*.service": ("one of sagemaker, bedrock", "service: bedrock"),
    "datasets.sets.*.launch.*.role": ("the ARN of an IAM role", "role: 'arn:aws:iam::123456789012:role/training'"),
    "datasets.sets.*.launch.*.output": ("s3://bucket/folder", "output: s3://bucket/models"),
    "datasets.sets.*.launch.*.format": ("one of the dataset's formats", "format: trl_sft"),
    "datasets.sets.*.launch.*.region": ("an AWS region", "region: eu-central-1"),
    "datasets.sets.*.launch.*.hyperparameters": ("values by name", "hyperparameters: {epochs: 3}"),
    "datasets.sets.*.launch.*.kms_key": ("the id or ARN of a key", "kms_key: alias/training"),
    "datasets.sets.*.launch.*.subnets": ("ids of subnets", "{subnets: [subnet-1], security_groups: [sg-1]}"),
    "datasets.sets.*.launch.*.security_groups": (
        "ids of security groups", "{security_groups: [sg-1], subnets: [subnet-1]}",
    ),
    "datasets.sets.*.launch.*.tags": ("texts by name", "tags: {team: support}"),
    "datasets.sets.*.launch.*.image": ("the image of a trainer", "image: 1.dkr.ecr.eu-west-1.amazonaws.com/trl"),
    "datasets.sets.*.launch.*.base_model": ("a model's id or ARN", "base_model: amazon.nova-lite-v1"),
    "datasets.sets.*.launch.*.technique": ("one of SFT, DPO", "technique: SFT"),
    "datasets.sets.*.launch.*.accept_eula": (_BOOLEAN, "accept_eula: true"),
    "datasets.sets.*.launch.*.package_group": ("the ARN of a model package group", "package_group: 'arn:aws:x'"),
    "datasets.sets.*.launch.*.instance": ("a type of instance", "instance: ml.g5.2xlarge"),
    "datasets.sets.*.launch.*.volume_gb": (_COUNT, "volume_gb: 100"),
    "datasets.sets.*.launch.*.hours": ("a whole number from 1 to 672", "hours: 24"),
    "datasets.sets.*.launch.*.train": ("the name of a channel", "train: training"),
    "datasets.sets.*.launch.*.validation": ("the name of a channel", "validation: validation"),
    "datasets.sets.*.launch.*.kind": ("one of FINE_TUNING, DISTILLATION, CONTINUED_PRE_TRAINING", "kind: FINE_TUNING"),
    "datasets.sets.*.launch.*.teacher": ("a model's id, with kind: DISTILLATION", "{teacher: big, kind: DISTILLATION}"),
    "datasets.sets.*.launch.*.most_tokens": (_COUNT, "most_tokens: 1000"),
    "datasets.sets.*.evaluate": ("models by name, such as tuned and base", f"evaluate: {{base: {_ASKED}}}"),
    "datasets.sets.*.evaluate.*": ("a model: a mapping with provider", f"base: {_ASKED}"),
    **{f"datasets.sets.*.evaluate.*.{key}": hint for key, hint in CHAT.items() if key != "sentences"},
    "datasets.sets.*.evaluate.*.provider": ("one of bedrock, sagemaker, openai", "provider: bedrock"),
    "datasets.sets.*.every": ("a duration such as 90s, 15m, 12h or 7 days, above 0", "every: 1d"),
}  # fmt: skip
