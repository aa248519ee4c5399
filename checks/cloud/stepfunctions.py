"""State machines: what they record, and what their definitions give away."""

from __future__ import annotations

from checks.cloud.setting import joined, repair, setting
from checks.facts.cloud.stepfunctions import StateMachines, StateMachineTexts
from checks.model import Severity

_GUIDE = "https://docs.aws.amazon.com/step-functions/latest/dg"
_SHOW = "aws stepfunctions describe-state-machine --region @{region} --state-machine-arn @{on} --query"
_UPDATE = "aws stepfunctions update-state-machine --region @{region} --state-machine-arn @{on}"

logs = setting(
    "cloud.stepfunctions.logs",
    StateMachines,
    # Standard machines keep a history of their own, of ninety days; the log of errors is what lasts.
    lambda one: one.level == "ALL" if one.express else one.level in ("ALL", "ERROR"),
    title="State machines record what they do",
    why="Express machines keep no history but their log, and others forget after ninety days.",
    severity=Severity.LOW,
    bad=lambda one: f"{one.level}, an express machine" if one.express else one.level,
    good="ALL for express machines, ERROR or ALL for others",
    fix=repair(
        "Let state machine @{name} keep a log",
        "Send its log to a group of CloudWatch, which its role may write to.",
        f"{_SHOW} loggingConfiguration",
        f"{_SHOW} loggingConfiguration > logging.before.json &&\n"
        'jq --arg group "$LOG_GROUP_ARN" \'.level = "ALL" | .destinations = '
        "[{cloudWatchLogsLogGroup: {logGroupArn: $group}}]' logging.before.json > logging.after.json &&\n"
        f"{_UPDATE} --logging-configuration file://logging.after.json",
        f"{_UPDATE} --logging-configuration file://logging.before.json",
        key="stepfunctions:logs @{on}",
        terraform="# In the aws_sfn_state_machine with ARN @{on}:\nlogging_configuration {\n"
        '  level           = "ALL"\n  log_destination = "${var.log_group_arn}:*"\n}\n',
    ),
    refs=(f"{_GUIDE}/cw-logs.html",),
)
execution_data = setting(
    "cloud.stepfunctions.execution-data",
    StateMachines,
    lambda one: one.level == "OFF" or not one.data,
    title="Logs of state machines leave the data out",
    why="The input of each step lands in the log in the clear, for everybody who may read logs.",
    severity=Severity.INFO,
    bad="the data is logged",
    good="the data is left out",
    fix=repair(
        "Leave the data out of the log of state machine @{name}",
        "Turn includeExecutionData off unless the data is harmless.",
        f"{_SHOW} loggingConfiguration.includeExecutionData  # false",
        f"{_SHOW} loggingConfiguration > data.before.json &&\n"
        "jq '.includeExecutionData = false' data.before.json > data.after.json &&\n"
        f"{_UPDATE} --logging-configuration file://data.after.json",
        f"{_UPDATE} --logging-configuration file://data.before.json",
        key="stepfunctions:data @{on}",
        terraform="# In the logging_configuration of the aws_sfn_state_machine with ARN @{on}:\n"
        "include_execution_data = false\n",
    ),
    refs=(f"{_GUIDE}/cw-logs.html",),
)
own_key = setting(
    "cloud.stepfunctions.own-key",
    StateMachines,
    lambda one: one.key,
    title="Data of state machines is encrypted under a key of the account",
    why="With a key of one's own, who may read the history is decided, recorded, and taken back.",
    severity=Severity.INFO,
    bad="under AWS's own key",
    good="under a key in KMS",
    fix=repair(
        "Encrypt the data of state machine @{name} under a key of your own",
        "Let the role of the machine use the key first.",
        f"{_SHOW} encryptionConfiguration",
        f"{_UPDATE} --encryption-configuration "
        '"type=CUSTOMER_MANAGED_KMS_KEY,kmsKeyId=$KEY_ARN,kmsDataKeyReusePeriodSeconds=300"',
        f"{_UPDATE} --encryption-configuration type=AWS_OWNED_KEY",
        key="stepfunctions:key @{on}",
        terraform="# In the aws_sfn_state_machine with ARN @{on}:\nencryption_configuration {\n"
        '  type                              = "CUSTOMER_MANAGED_KMS_KEY"\n'
        "  kms_key_id                        = var.key_arn\n  kms_data_key_reuse_period_seconds = 300\n}\n",
    ),
    refs=(f"{_GUIDE}/encryption-at-rest.html",),
)
definition_secrets = setting(
    "cloud.stepfunctions.definition-secrets",
    StateMachineTexts,
    lambda one: not one.secrets,
    title="Definitions of state machines hold no secrets",
    why="Everybody who may look at the machine reads them, and each run writes them into its history.",
    severity=Severity.HIGH,
    bad=lambda one: joined(one.secrets),
    good="none",
    fix=repair(
        "Take the secrets out of state machine @{name}",
        "Use a connection of EventBridge or read the secret in the step that needs it; change the secret: it "
        "was readable until now.",
        f"{_SHOW} definition --output text",
        f"{_SHOW} definition --output text > definition.before.json &&\n"
        "cp definition.before.json definition.after.json && ${EDITOR:-vi} definition.after.json &&\n"
        f"{_UPDATE} --definition file://definition.after.json",
        f"{_UPDATE} --definition file://definition.before.json",
        hours=(0.5, 0.5),
        key="stepfunctions:secrets @{on}",
    ),
    refs=(f"{_GUIDE}/call-https-apis.html",),
)
