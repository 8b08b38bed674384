"""Spark without generated code: for a handful of rows compiling a plan costs far more than running it.

Measured: 132 -> 86 seconds of CPU for three batches of two small tables. The soak, and every test that runs `headrace`
as a program, compile as production does.
"""

INTERPRETED = {
    "spark.sql.codegen.wholeStage": "false",
    "spark.sql.codegen.factoryMode": "NO_CODEGEN",
    "spark.sql.adaptive.enabled": "false",
}
