"""An Airflow DAG that runs a pipeline every hour and verifies what it published.

A failed run is tried again three times: running again is always safe, and goes on where the last attempt stopped. A pipeline that is
switched off (exit code 8) is skipped, since trying again would not help. The key comes by the worker's environment, never by an argument.
"""

import datetime

from airflow import DAG

try:
    from airflow.providers.standard.operators.bash import BashOperator
except ImportError:  # Airflow 2
    from airflow.operators.bash import BashOperator

PIPELINE = "pipelines/openai-admin.yaml"
OUTPUT = "output/openai-admin"
HOME = "/srv/cogni"

# 99 is the code for which Airflow skips a task.
OFF_IS_SKIPPED = """
code=$?
test $code != 8 || { echo "the pipeline is switched off"; exit 99; }
"""
CHECK = f"cogni check {PIPELINE} --offline {OFF_IS_SKIPPED} exit $code"
# The summary of a failed run goes into the task's log.
RUN = f"""
cogni run {PIPELINE} --progress none --json > run.json {OFF_IS_SKIPPED}
test $code = 0 || cat run.json
exit $code
"""

with DAG(
    dag_id="cogni_openai_admin",
    description="The organization's admin data into checked archives",
    schedule="17 * * * *",
    start_date=datetime.datetime(2025, 11, 1, tzinfo=datetime.timezone.utc),
    catchup=False,
    max_active_runs=1,
    tags=["cogni"],
    default_args={"retries": 3, "retry_delay": datetime.timedelta(minutes=5), "cwd": HOME, "append_env": True},
) as dag:
    check = BashOperator(task_id="check", bash_command=CHECK, skip_on_exit_code=99, retries=0)
    run = BashOperator(task_id="run", bash_command=RUN, skip_on_exit_code=99)
    verify = BashOperator(task_id="verify", bash_command=f"cogni verify {OUTPUT}", retries=0)
    check >> run >> verify
