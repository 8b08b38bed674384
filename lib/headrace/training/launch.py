"""What a training service is asked for: plain values, the same for the same version.

Sources: https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateTrainingJob.html,
https://docs.aws.amazon.com/bedrock/latest/APIReference/API_CreateModelCustomizationJob.html
"""

import re
from dataclasses import dataclass
from typing import Any

from headrace.config_launch import BedrockLaunch, SageMakerLaunch

_LONGEST = 63
"""Characters of a job's name, with both services."""


@dataclass(frozen=True, slots=True)
class Trained:
    """The version that is trained on.

    Attributes:
        version: its digest.
        place: `s3://bucket/...` of the version's folder.
        files: of each split, the names below `place`.
    """

    dataset: str
    version: str
    place: str
    files: dict[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Asked:
    """A call of a service: `arguments` of `operation`. Asked twice, the service knows that it is the same."""

    service: str
    operation: str
    arguments: dict[str, Any]

    @property
    def name(self) -> str:
        """Of the job."""
        return str(self.arguments.get("TrainingJobName") or self.arguments["jobName"])


def asked(launch: SageMakerLaunch | BedrockLaunch, of: Trained, attempt: int = 1) -> Asked:
    """The call that starts the job.

    Args:
        attempt: another one is another job on the same version.
    """
    name = job_name(of, attempt)
    return _sagemaker(launch, of, name) if isinstance(launch, SageMakerLaunch) else _bedrock(launch, of, name)


def job_name(of: Trained, attempt: int) -> str:
    """`headrace-<dataset>-<digest>-<attempt>` in the letters that both services take."""
    end = f"-{of.version[:12]}-{attempt}"
    start = re.sub(r"[^A-Za-z0-9]+", "-", f"headrace-{of.dataset}")[: _LONGEST - len(end)].strip("-")
    return start + end


def _sagemaker(launch: SageMakerLaunch, of: Trained, name: str) -> Asked:
    channels = {"train": launch.train, "validation": launch.validation}
    arguments: dict[str, Any] = {
        "TrainingJobName": name,
        "RoleArn": launch.role,
        "InputDataConfig": [_channel(channel, of, split) for split, channel in channels.items()],
        "OutputDataConfig": {"S3OutputPath": launch.output, **({"KmsKeyId": launch.kms_key} if launch.kms_key else {})},
        "StoppingCondition": {"MaxRuntimeInSeconds": launch.hours * 3600},
        "Tags": [{"Key": key, "Value": value} for key, value in _tags(launch.tags, of).items()],
    }
    if launch.hyperparameters:
        arguments["HyperParameters"] = dict(launch.hyperparameters)
    if launch.subnets:
        arguments["VpcConfig"] = {"Subnets": list(launch.subnets), "SecurityGroupIds": list(launch.security_groups)}
    if launch.image:
        # One: each of several would read all rows.
        resources = {"InstanceType": launch.instance, "InstanceCount": 1, "VolumeSizeInGB": launch.volume_gb}
        arguments["AlgorithmSpecification"] = {"TrainingImage": launch.image, "TrainingInputMode": "File"}
        arguments["ResourceConfig"] = resources | ({"VolumeKmsKeyId": launch.kms_key} if launch.kms_key else {})
        arguments["EnableInterContainerTrafficEncryption"] = True
    else:
        arguments["ServerlessJobConfig"] = {
            "BaseModelArn": launch.base_model, "AcceptEula": launch.accept_eula, "JobType": "FineTuning",
            "CustomizationTechnique": launch.technique, "Peft": "LORA",
        }  # fmt: skip
        if launch.package_group:
            arguments["ModelPackageConfig"] = {"ModelPackageGroupArn": launch.package_group}
    return Asked("sagemaker", "create_training_job", arguments)


def _channel(channel: str, of: Trained, split: str) -> dict[str, Any]:
    # The manifest pins the files: what lies beside them, or comes later, is not trained on.
    source = {
        "S3DataType": "ManifestFile", "S3Uri": f"{of.place}/{split}.manifest",
        "S3DataDistributionType": "FullyReplicated",
    }  # fmt: skip
    return {"ChannelName": channel, "DataSource": {"S3DataSource": source}, "InputMode": "File"}


def _bedrock(launch: BedrockLaunch, of: Trained, name: str) -> Asked:
    train, validation = of.files.get("train", ()), of.files.get("validation", ())
    arguments: dict[str, Any] = {
        "jobName": name,
        "customModelName": name,
        "roleArn": launch.role,
        "clientRequestToken": name,
        "baseModelIdentifier": launch.base_model,
        "customizationType": launch.kind,
        "trainingDataConfig": {"s3Uri": f"{of.place}/{train[0]}"},
        "outputDataConfig": {"s3Uri": launch.output},
        "jobTags": [{"key": key, "value": value} for key, value in _tags(launch.tags, of).items()],
        "customModelTags": [{"key": key, "value": value} for key, value in _tags(launch.tags, of).items()],
    }
    if launch.teacher:
        teacher = {"teacherModelIdentifier": launch.teacher, "maxResponseLengthForInference": launch.most_tokens}
        arguments["customizationConfig"] = {"distillationConfig": {"teacherModelConfig": teacher}}
    elif validation:
        arguments["validationDataConfig"] = {"validators": [{"s3Uri": f"{of.place}/{validation[0]}"}]}
    if launch.hyperparameters:
        arguments["hyperParameters"] = dict(launch.hyperparameters)
    if launch.kms_key:
        arguments["customModelKmsKeyId"] = launch.kms_key
    if launch.subnets:
        arguments["vpcConfig"] = {"subnetIds": list(launch.subnets), "securityGroupIds": list(launch.security_groups)}
    return Asked("bedrock", "create_model_customization_job", arguments)


def _tags(own: dict[str, str], of: Trained) -> dict[str, str]:
    return own | {"headrace:dataset": of.dataset, "headrace:version": of.version}
