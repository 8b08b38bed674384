"""Settings of training jobs: what a version of a dataset is trained into, and where."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from headrace.config_base import Contradiction, OptionText, Positive, Role, Settings, Text

S3 = Annotated[str, Field(pattern=r"^s3://[a-z0-9.-]{3,63}(/.*)?$")]
Hyperparameters = dict[Text, OptionText]


class LaunchBase(Settings):
    """What every training job has.

    Attributes:
        role: that the service takes on; its ARN.
        output: where what was trained goes.
        format: of the dataset's formats, the one it reads; the first where not given.
        tags: of the job, beside those that say which version it was trained on.
    """

    role: Role
    output: S3
    format: Text | None = None
    region: Text | None = None
    hyperparameters: Hyperparameters = Field(default_factory=dict)
    kms_key: Text | None = None
    subnets: tuple[Text, ...] = ()
    security_groups: tuple[Text, ...] = ()
    tags: dict[Text, Text] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _both_of_a_network(self) -> "LaunchBase":
        if bool(self.subnets) != bool(self.security_groups):
            example = "subnets: [subnet-1], security_groups: [sg-1]"
            raise Contradiction("subnets", "subnets and security_groups together", "only one of them", example)
        return self


class SageMakerLaunch(LaunchBase):
    """A training job of SageMaker: of a container's image, or without servers of one's own on a base model.

    Attributes:
        image: of the trainer.
        base_model: of SageMaker's model customisation; its ARN, in place of an image.
        technique: of the customisation.
        package_group: where the customised model is registered; its ARN.
        train, validation: names of the channels: Llama's notebooks use `training`.
    """

    service: Literal["sagemaker"]
    image: Text | None = None
    base_model: Text | None = None
    technique: Literal["SFT", "DPO"] = "SFT"
    accept_eula: bool = False
    package_group: Text | None = None
    instance: Text = "ml.g5.2xlarge"

    volume_gb: Positive = 100
    hours: Annotated[int, Field(gt=0, le=672)] = 24
    train: Text = "train"
    validation: Text = "validation"

    @model_validator(mode="after")
    def _one_of_two(self) -> "SageMakerLaunch":
        if (self.image is None) == (self.base_model is None):
            found = "neither" if self.image is None else "both"
            raise Contradiction("image", "either image or base_model", found, "base_model: arn:aws:sagemaker:...")
        return self


class BedrockLaunch(LaunchBase):
    """A customisation of a model of Bedrock.

    Attributes:
        base_model: its id or ARN.
        kind: of the customisation.
        teacher: of a distillation: the model that answers the prompts.
    """

    service: Literal["bedrock"]
    base_model: Text
    kind: Literal["FINE_TUNING", "DISTILLATION", "CONTINUED_PRE_TRAINING"] = "FINE_TUNING"
    teacher: Text | None = None
    most_tokens: Positive = 1000

    @model_validator(mode="after")
    def _taught(self) -> "BedrockLaunch":
        if (self.kind == "DISTILLATION") != (self.teacher is not None):
            expected = "a teacher with kind: DISTILLATION, and only there"
            raise Contradiction("teacher", expected, self.kind, "kind: FINE_TUNING")
        return self


Launch = Annotated[SageMakerLaunch | BedrockLaunch, Field(discriminator="service")]
