"""Services that take on a role which is passed to them, and the calls that make them work with it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Service:
    """A service that takes on a role which is passed to it: who it is, and what starts work there.

    `starts` are alternatives of calls that are all needed.
    """

    name: str
    principal: str
    starts: tuple[tuple[str, ...], ...]
    profile: bool = False


SERVICES = (
    Service(
        "EC2",
        "ec2.amazonaws.com",
        (
            ("ec2:RunInstances",),
            ("ec2:AssociateIamInstanceProfile", "ssm:SendCommand"),
            ("ec2:AssociateIamInstanceProfile", "ssm:StartSession"),
        ),
        profile=True,
    ),
    Service(
        "Lambda",
        "lambda.amazonaws.com",
        (
            ("lambda:CreateFunction", "lambda:InvokeFunction"),
            ("lambda:CreateFunction", "lambda:CreateEventSourceMapping"),
            ("lambda:CreateFunction", "lambda:AddPermission"),
            ("lambda:CreateFunction", "lambda:CreateFunctionUrlConfig"),
        ),
    ),
    Service(
        "CloudFormation",
        "cloudformation.amazonaws.com",
        (
            ("cloudformation:CreateStack",),
            ("cloudformation:UpdateStack",),
            ("cloudformation:CreateChangeSet", "cloudformation:ExecuteChangeSet"),
        ),
    ),
    Service(
        "Glue",
        "glue.amazonaws.com",
        (
            ("glue:CreateDevEndpoint",),
            ("glue:CreateJob", "glue:StartJobRun"),
            ("glue:CreateJob", "glue:CreateTrigger"),
            ("glue:UpdateJob", "glue:StartJobRun"),
        ),
    ),
    Service(
        "CodeBuild",
        "codebuild.amazonaws.com",
        (
            ("codebuild:CreateProject", "codebuild:StartBuild"),
            ("codebuild:CreateProject", "codebuild:StartBuildBatch"),
        ),
    ),
    Service(
        "SageMaker",
        "sagemaker.amazonaws.com",
        (
            ("sagemaker:CreateNotebookInstance", "sagemaker:CreatePresignedNotebookInstanceUrl"),
            ("sagemaker:CreateTrainingJob",),
            ("sagemaker:CreateProcessingJob",),
        ),
    ),
    Service(
        "ECS",
        "ecs-tasks.amazonaws.com",
        (
            ("ecs:RegisterTaskDefinition", "ecs:RunTask"),
            ("ecs:RegisterTaskDefinition", "ecs:StartTask"),
            ("ecs:RegisterTaskDefinition", "ecs:CreateService"),
            ("ecs:RegisterTaskDefinition", "ecs:UpdateService"),
            ("batch:RegisterJobDefinition", "batch:SubmitJob"),
        ),
    ),
    Service(
        "Data Pipeline",
        "datapipeline.amazonaws.com",
        (
            (
                "datapipeline:CreatePipeline",
                "datapipeline:PutPipelineDefinition",
                "datapipeline:ActivatePipeline",
            ),
        ),
    ),
    Service(
        "Step Functions", "states.amazonaws.com", (("states:CreateStateMachine", "states:StartExecution"),)
    ),
    Service("Systems Manager", "ssm.amazonaws.com", (("ssm:StartAutomationExecution",),)),
    Service("App Runner", "tasks.apprunner.amazonaws.com", (("apprunner:CreateService",),)),
    Service("EventBridge Scheduler", "scheduler.amazonaws.com", (("scheduler:CreateSchedule",),)),
    Service("EMR", "elasticmapreduce.amazonaws.com", (("elasticmapreduce:RunJobFlow",),)),
)
"""Services to which a role can be passed, and what makes them work with it."""
