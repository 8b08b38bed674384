"""Signing in to Amazon MSK, on a real broker that reads what a client signed but cannot check the signature."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from certificates import Certificates, certificates
from headrace.config_indexes import KafkaIndex
from headrace.config_kafka import MskIam
from headrace.errors import Retryable, Unreachable
from headrace.ports import Written
from headrace.stores.kafka_auth import Tokens
from headrace.stores.kafka_index import KafkaVectorIndex
from headrace.stores.kafka_look import KafkaLook
from headrace.testing.passages import gone, put

from .jars import class_path, java
from .kafka import Kafka
from .process import free_port

AUTH = MskIam(kind="msk-iam", region="eu-central-1")


class Msk(Kafka):
    """A broker with a second listener, on which clients sign in over TLS."""

    def __init__(self, folder: Path, made: Certificates) -> None:
        super().__init__(folder)
        self.signed_port, self._made = free_port(), made

    @property
    def signed(self) -> str:
        return f"localhost:{self.signed_port}"

    def command(self, settings: Path) -> list[str]:
        compiler = java("jdk.compiler/com.sun.tools.javac.Main", "-d", str(self.folder))
        compiler[-3:-3] = ["-m"]  # a Java without javac has its module
        source = Path(__file__).with_name("MskBroker.java")
        done = subprocess.run([*compiler, "-cp", class_path(), str(source)], capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr
        command = java("MskBroker", str(settings))
        place = command.index("-cp") + 1
        return [*command[:place], f"{command[place]}{os.pathsep}{self.folder}", *command[place + 1 :]]

    def settings(self, lines: dict[str, str]) -> dict[str, str]:
        # One file with the key and its certificates is what Kafka calls a PEM key store.
        store = self.folder / "server.pem"
        store.write_text("".join(file.read_text() for file in (self._made.key, self._made.certificate)))
        oauth, iam = "listener.name.sasl_ssl.oauthbearer", "listener.name.sasl_ssl.aws_msk_iam"
        login = "org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginModule"
        listener = f"SASL_SSL://localhost:{self.signed_port}"
        return lines | {
            "listeners": f"{lines['listeners']},{listener}",
            "advertised.listeners": f"{lines['advertised.listeners']},{listener}",
            "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,SASL_SSL:SASL_SSL",
            "ssl.keystore.type": "PEM",
            "ssl.keystore.location": str(store),
            "sasl.enabled.mechanisms": "OAUTHBEARER,AWS_MSK_IAM",
            f"{oauth}.sasl.server.callback.handler.class": "MskBroker$Tokens",
            f"{oauth}.sasl.jaas.config": f'{login} required unsecuredLoginStringClaim_sub="broker";',
            f"{iam}.sasl.jaas.config": "MskBroker$NoLogin required;",
        }


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return certificates(tmp_path_factory.mktemp("certificates"))


@pytest.fixture(scope="module")
def msk(tmp_path_factory: pytest.TempPathFactory, made: Certificates) -> Iterator[Msk]:
    server = Msk(tmp_path_factory.mktemp("msk"), made)
    try:
        yield server.start()
    finally:
        server.stop()


@pytest.fixture
def options(made: Certificates) -> dict[str, str]:
    return {"kafka.ssl.truststore.type": "PEM", "kafka.ssl.truststore.location": str(made.authority)}


@pytest.fixture
def credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (("ACCESS_KEY_ID", "AKIAEXAMPLE"), ("SECRET_ACCESS_KEY", "secret")):
        monkeypatch.setenv(f"AWS_{name}", value)


def test_a_look_and_an_index_sign_in_with_tokens(msk, options, credentials):
    msk.create_topic("passages")
    index = KafkaVectorIndex(
        KafkaIndex(store="kafka", servers=msk.signed, topic="passages", auth=AUTH, options=options), "g1"
    )
    index.open("outbox-1")
    assert index.write([put("a", 1), gone("b", 2)]) == Written(applied=2)
    index.close()
    look = KafkaLook(msk.signed, options, AUTH)
    found = look.topics(["pass*"])
    assert found == {"passages": [0]} and look.offsets(found) == {"passages": {0: (0, 2)}}
    assert [record.key for record in look.sample(found, 10)["passages"]] == [b"a", b"b"]


def test_the_broker_refuses_a_token_for_another_region_or_of_somebody_else(msk, options, credentials, monkeypatch):
    with pytest.raises(Unreachable, match=r"SASL|invalid_token|Authentication"):
        KafkaLook(msk.signed, options, AUTH.model_copy(update={"region": "eu-west-1"}), seconds=3).topics(["*"])
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAOTHER")
    with pytest.raises(Unreachable, match=r"SASL|invalid_token|Authentication"):
        KafkaLook(msk.signed, options, AUTH, seconds=3).topics(["*"])


def test_a_token_that_cannot_be_made_is_what_the_look_says(msk, options, credentials, monkeypatch):
    answers = iter([("unused", 0)])

    def made(_: Tokens) -> tuple[str, int]:
        for answer in answers:
            return answer
        raise Retryable(expected="a token for Kafka", found="no route to STS", todo="It is tried again.")

    monkeypatch.setattr(Tokens, "_made", made)
    with pytest.raises(Retryable, match="no route to STS"):
        KafkaLook(msk.signed, options, AUTH, seconds=2).topics(["*"])


READ = """
import json, sys
from headrace.config_sources import KafkaSource
from headrace.pipelines.runtime import SHORT_LIVED, spark_session
from headrace.stores import kafka_source
from headrace.stores.kafka_auth import JAR

source = KafkaSource.model_validate(json.loads(sys.argv[1]))
spark = spark_session("msk", kafka=True, settings=SHORT_LIVED, packages=(JAR,))
rows = []
stream = kafka_source.stream(spark, source, "local").select("message_key").writeStream.trigger(availableNow=True)
stream.foreachBatch(lambda frame, _: rows.extend(frame.collect())).start().awaitTermination()
print(json.dumps(sorted(bytes(row[0]).decode() for row in rows)))
"""


def test_sparks_source_signs_in_with_amazons_module(msk, options, credentials):
    msk.create_topic("bookings")
    for key in (b"a", b"b"):
        msk.send("bookings", key, b"{}")
    msk.flush()
    source = {"from": "kafka", "format": "json", "position": "arrival", "servers": msk.signed, "topics": ["bookings"],
              "auth": {"kind": "msk-iam", "region": "eu-central-1"}, "options": options}  # fmt: skip
    environ = {**os.environ, "AWS_REGION": "eu-central-1", "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(
        [sys.executable, "-c", READ, json.dumps(source)], capture_output=True, text=True, timeout=180, env=environ
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert json.loads(done.stdout.splitlines()[-1]) == ["a", "b"]
