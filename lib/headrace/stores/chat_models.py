"""The models that the settings name."""

from headrace.config_assistant import Assistant
from headrace.config_chat import BedrockChat, Chat, ExtractiveChat, OpenAiChat, SageMakerChat
from headrace.ports_chat import Answerer, ChatModel
from headrace.stores.chat_bedrock import BedrockChatModel
from headrace.stores.chat_extractive import ExtractiveModel
from headrace.stores.chat_http import HttpChatModel
from headrace.stores.chat_sagemaker import SageMakerChatModel


def answerers(settings: Assistant) -> list[Answerer]:
    """New ones, in the order in which they are asked. No service is asked yet; the caller closes them.

    Raises ConfigError where one cannot be made.
    """
    silence = settings.answers.first_piece.total_seconds()
    longest = settings.answers.timeout.total_seconds()
    made: list[Answerer] = []
    for number, one in enumerate(settings.models()):
        where = f"assistant.answers.fallback[{number - 1}]" if number else "assistant.model"
        try:
            made.append(Answerer(one.provider, chat_model(one, silence, longest, where), getattr(one, "price", None)))
        except BaseException:
            close(made)
            raise
    return made


def chat_model(settings: Chat, silence: float, longest: float, where: str = "assistant.model") -> ChatModel:
    """A new one.

    Args:
        silence: seconds that a connection may say nothing.
        longest: seconds that one answer may take.
        where: the place of its settings, for messages.
    """
    match settings:
        case ExtractiveChat():
            return ExtractiveModel(settings)
        case BedrockChat():
            return BedrockChatModel(settings, silence=silence)
        case SageMakerChat():
            return SageMakerChatModel(settings, silence=silence, where=where)
        case OpenAiChat():
            return HttpChatModel(settings, silence=silence, longest=longest, where=where)
    raise TypeError(f"no model for {type(settings).__name__}")


def close(several: list[Answerer]) -> None:
    """Give back what they hold."""
    for one in several:
        one.model.close()
