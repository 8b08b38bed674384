"""Signing in to Amazon MSK with IAM: settings, options for each runtime, what Amazon's own libraries make of them."""

import base64
import json
import os
import time
import zipfile
from urllib.parse import parse_qs, urlsplit

import pytest
from pyspark.errors import StreamingQueryException

from headrace.config_indexes import KafkaIndex
from headrace.config_kafka import MskIam
from headrace.config_sources import KafkaSource
from headrace.errors import Fatal
from headrace.pipelines import streams
from headrace.pipelines.jars import Jars
from headrace.pipelines.java import find_java
from headrace.pipelines.runtime import _launch_environment
from headrace.stores import kafka_source
from headrace.stores.kafka_auth import CALLBACK_HANDLER, JAR, LOGIN_MODULE, Tokens, signing, spark_options
from headrace.stores.kafka_look import KafkaLook

ROLE = "arn:aws:iam::123456789012:role/streams/reader"
BROKER = "b-1.shop.x1y2z3.c2.kafka.eu-central-1.amazonaws.com"


def auth(**more):
    return MskIam(kind="msk-iam", region="eu-central-1", **more)


def source(**more):
    return KafkaSource.model_validate({"from": "kafka", "format": "json", "position": "arrival",
                                       "servers": f"{BROKER}:9098", "topics": ["t"], **more})  # fmt: skip


@pytest.mark.parametrize(
    ("runtime", "settings", "jaas", "handler"),
    [
        ("local", {}, "software.amazon.msk.auth.iam.IAMLoginModule required;",
         "software.amazon.msk.auth.iam.IAMClientCallbackHandler"),
        ("glue", {"role_arn": ROLE},
         f'software.amazon.msk.auth.iam.IAMLoginModule required awsRoleArn="{ROLE}" awsRoleSessionName="headrace" '
         'awsStsRegion="eu-central-1";',
         "software.amazon.msk.auth.iam.IAMClientCallbackHandler"),
        ("glue", {"role_arn": ROLE, "external_id": "7f:3a", "session_name": "nightly"},
         f'software.amazon.msk.auth.iam.IAMLoginModule required awsRoleArn="{ROLE}" awsRoleExternalId="7f:3a" '
         'awsRoleSessionName="nightly" awsStsRegion="eu-central-1";',
         "software.amazon.msk.auth.iam.IAMClientCallbackHandler"),
        ("glue", {"service_credential": "msk"}, "software.amazon.msk.auth.iam.IAMLoginModule required;",
         "software.amazon.msk.auth.iam.IAMClientCallbackHandler"),
        ("databricks", {}, "shadedmskiam.software.amazon.msk.auth.iam.IAMLoginModule required;",
         "shadedmskiam.software.amazon.msk.auth.iam.IAMClientCallbackHandler"),
    ],
)  # fmt: skip
def test_one_setting_becomes_the_options_of_each_runtime(runtime, settings, jaas, handler):
    assert spark_options(auth(**settings), runtime) == {
        "kafka.security.protocol": "SASL_SSL",
        "kafka.sasl.mechanism": "AWS_MSK_IAM",
        "kafka.sasl.jaas.config": jaas,
        "kafka.sasl.client.callback.handler.class": handler,
    }


def test_databricks_signs_in_with_its_own_credential_where_one_is_named():
    assert spark_options(auth(service_credential="msk"), "databricks") == {"databricks.serviceCredential": "msk"}


def test_without_auth_nothing_is_set():
    assert spark_options(None, "glue") == {}
    assert not any("security" in name for name in kafka_source.options(source(), "glue"))


def test_the_source_hands_the_options_on_beside_its_own():
    made = source(auth={"kind": "msk-iam", "region": "eu-central-1"}, options={"kafka.client.id": "headrace"})
    options = kafka_source.options(made, "databricks")
    assert options["kafka.client.id"] == "headrace" and options["kafka.sasl.jaas.config"].startswith("shadedmskiam.")


class _Config:
    def __init__(self, **sources):
        self.sources = sources


def test_only_a_session_that_signs_in_to_msk_gets_the_jar():
    assert streams.packages(_Config(shop=source())) == ()
    assert streams.packages(_Config(shop=source(), other=source(auth=auth()))) == (JAR,)


@pytest.mark.parametrize(
    "name", ["kafka.security.protocol", "kafka.sasl.jaas.config", "sasl.mechanism", "databricks.serviceCredential"]
)
def test_a_second_way_in_beside_auth_is_refused(name):
    told = f"expected no option of security beside auth, which sets them all; found {name}"
    for made in (source, lambda **more: KafkaIndex(store="kafka", servers="b:9098", topic="t", **more)):
        with pytest.raises(ValueError, match=told):
            made(auth={"kind": "msk-iam", "region": "eu-central-1"}, options={name: "x"})


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"external_id": "7f3a"}, "external_id: expected role_arn beside it; found none"),
        ({"session_name": "nightly"}, "session_name: expected role_arn beside it; found none"),
        ({"role_arn": ROLE, "service_credential": "msk"}, "as a service credential brings its own role"),
        ({"role_arn": 'arn:aws:iam::123456789012:role/a" awsDebugCreds="true'}, "role_arn"),
        ({"role_arn": ROLE, "external_id": 'a";'}, "external_id"),
    ],
)
def test_settings_that_do_not_fit_together_are_refused(settings, told):
    with pytest.raises(ValueError, match=told):
        auth(**settings)


# --- Amazon's Java module, in Spark's own JVM ---


def test_a_spark_without_the_module_says_which_jar_it_lacks(spark, tmp_path):
    made = source(servers="127.0.0.1:1", auth={"kind": "msk-iam", "region": "eu-central-1"})
    writer = streams.writer(spark, "msk", made, lambda *_: None, str(tmp_path / "checkpoint"), once=True)
    query = streams.start(writer, made, True, 0)
    with pytest.raises(StreamingQueryException):
        query.awaitTermination(60)
    found = streams.failure(query)
    assert isinstance(found, Fatal) and "aws-msk-iam-auth's jar" in str(found)


@pytest.fixture(scope="module")
def files():
    """The jars a laptop session gets for MSK."""
    return Jars({}, {**os.environ, **_launch_environment(find_java())}).files(kafka=False, s3=False, extra=(JAR,))


def test_the_classes_and_their_options_are_in_the_pinned_jar(files):
    jar = next(file for file in files if "aws-msk-iam-auth-2.3.9" in file)
    with zipfile.ZipFile(jar) as archive:
        names = archive.namelist()
        assert f"{LOGIN_MODULE.replace('.', '/')}.class" in names
        assert f"{CALLBACK_HANDLER.replace('.', '/')}.class" in names
        code = b"".join(archive.read(name) for name in names if "MSKCredentialProvider" in name)
    for option in (b"awsRoleArn", b"awsRoleExternalId", b"awsRoleSessionName", b"awsStsRegion"):
        assert option in code


class Java:
    """Amazon's module and what it needs, loaded beside the classes of a running Spark."""

    def __init__(self, spark, files):
        self.jvm, self._gateway = spark._jvm, spark._sc._gateway
        urls = self.array(self.jvm.java.net.URL, [self.jvm.java.io.File(file).toURI().toURL() for file in files])
        self.loader = self.jvm.java.net.URLClassLoader(urls, self.jvm.Thread.currentThread().getContextClassLoader())

    def array(self, kind, values):
        made = self._gateway.new_array(kind, len(values))
        for place, value in enumerate(values):
            made[place] = value
        return made

    def new(self, name):
        found = self.loader.loadClass(name).getConstructor(self.array(self.jvm.Class, []))
        return found.newInstance(self.array(self.jvm.Object, []))

    def entries(self, options):
        """The line of JAAS as Kafka's own client reads it."""
        line = self.jvm.org.apache.kafka.common.config.types.Password(options["kafka.sasl.jaas.config"])
        settings = self.jvm.java.util.HashMap()
        settings.put("sasl.jaas.config", line)
        return self.jvm.org.apache.kafka.common.security.JaasContext.loadClientContext(settings).configurationEntries()

    def handler(self, options):
        made = self.new(options["kafka.sasl.client.callback.handler.class"])
        made.configure(self.jvm.java.util.HashMap(), options["kafka.sasl.mechanism"], self.entries(options))
        return made


@pytest.fixture(scope="module")
def module(spark, files):
    # py4j keeps methods by the name of their class: the same class of a second loader would not fit them.
    return Java(spark, files)


@pytest.fixture
def java(spark, module):
    made, system = module, spark._jvm.System
    thread, before = spark._jvm.Thread.currentThread(), spark._jvm.Thread.currentThread().getContextClassLoader()
    thread.setContextClassLoader(made.loader)
    for name, value in (("aws.accessKeyId", "AKIAEXAMPLE"), ("aws.secretAccessKey", "secret")):
        system.setProperty(name, value)
    yield made
    for name in ("aws.accessKeyId", "aws.secretAccessKey"):
        system.clearProperty(name)
    thread.setContextClassLoader(before)


def test_kafkas_client_reads_the_login_line_with_role_external_id_and_session(java):
    options = spark_options(auth(role_arn=ROLE, external_id="7f:3a", session_name="nightly"), "glue")
    entry = java.entries(options).get(0)
    assert entry.getLoginModuleName() == LOGIN_MODULE
    assert dict(entry.getOptions()) == {
        "awsRoleArn": ROLE,
        "awsRoleExternalId": "7f:3a",
        "awsRoleSessionName": "nightly",
        "awsStsRegion": "eu-central-1",
    }
    java.handler(options).close()


def test_the_module_signs_a_request_to_connect_with_the_process_own_credentials(java):
    options = spark_options(auth(), "local")
    java.new(LOGIN_MODULE)  # registers the mechanism, as Kafka's client does at login
    handler = java.handler(options)
    mechanisms = java.array(java.jvm.String, [options["kafka.sasl.mechanism"]])
    create = java.jvm.javax.security.sasl.Sasl.createSaslClient
    made = create(mechanisms, None, "kafka", BROKER, java.jvm.java.util.HashMap(), handler)
    said = json.loads(bytes(made.evaluateChallenge(b"")))
    assert said["host"] == BROKER and said["action"] == "kafka-cluster:Connect"
    assert said["x-amz-credential"].startswith("AKIAEXAMPLE/")
    assert said["x-amz-credential"].endswith("/eu-central-1/kafka-cluster/aws4_request")
    assert int(said["x-amz-expires"]) <= 900 and len(said["x-amz-signature"]) == 64
    handler.close()


# --- Amazon's Python signer, for librdkafka ---


@pytest.fixture
def credentials(monkeypatch):
    for name, value in (("ACCESS_KEY_ID", "AKIAEXAMPLE"), ("SECRET_ACCESS_KEY", "secret"), ("SESSION_TOKEN", "t0k")):
        monkeypatch.setenv(f"AWS_{name}", value)


def decoded(token):
    url = urlsplit(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)).decode())
    return url, {name: values[0] for name, values in parse_qs(url.query).items()}


def test_a_token_is_a_signed_request_to_connect_that_ends_in_a_quarter_of_an_hour(credentials):
    now = time.time()
    token, until = signing(auth())()
    url, said = decoded(token)
    assert (url.scheme, url.netloc, url.path) == ("https", "kafka.eu-central-1.amazonaws.com", "/")
    assert said["Action"] == "kafka-cluster:Connect" and said["X-Amz-Expires"] == "900"
    assert said["X-Amz-Credential"].split("/")[0] == "AKIAEXAMPLE"
    assert said["X-Amz-Credential"].split("/")[2:] == ["eu-central-1", "kafka-cluster", "aws4_request"]
    assert said["X-Amz-Security-Token"] == "t0k" and len(said["X-Amz-Signature"]) == 64
    assert now + 890 <= until / 1000 <= now + 910


def test_librdkafka_is_given_the_token_and_its_end_in_seconds(credentials):
    settings = Tokens(auth()).settings()
    assert (settings["security.protocol"], settings["sasl.mechanism"]) == ("SASL_SSL", "OAUTHBEARER")
    token, until = settings["oauth_cb"]("")
    assert decoded(token)[1]["Action"] == "kafka-cluster:Connect"
    assert time.time() + 890 <= until <= time.time() + 910


def test_without_credentials_the_look_says_what_to_give_it(monkeypatch, tmp_path):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    for name, value in (("EC2_METADATA_DISABLED", "true"), ("SHARED_CREDENTIALS_FILE", str(tmp_path / "none")),
                        ("CONFIG_FILE", str(tmp_path / "none"))):  # fmt: skip
        monkeypatch.setenv(f"AWS_{name}", value)
    with pytest.raises(Fatal, match=r"NoCredentialsError.*Give the job valid AWS credentials"):
        KafkaLook("127.0.0.1:1", auth=auth(), seconds=1).topics(["*"])


def test_a_token_that_cannot_be_renewed_is_told_and_not_raised_into_the_client(credentials, monkeypatch):
    tokens = Tokens(auth())
    callback = tokens.settings()["oauth_cb"]
    monkeypatch.setattr(tokens, "_sign", lambda: (_ for _ in ()).throw(OSError("no route")))
    assert callback("") == ("", 0.0) and "OSError" in str(tokens.failure)
    monkeypatch.undo()
