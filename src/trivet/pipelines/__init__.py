"""Pipelines: steps written as plain functions, run in order and cached by content."""

from trivet.pipelines.drawing import describe_value, pipeline_graph
from trivet.pipelines.errors import (
    Differs,
    NotReproducible,
    OutputUnknown,
    PipelineNotFound,
    StepFailed,
)
from trivet.pipelines.executors import Executor, InProcessExecutor, ProcessExecutor
from trivet.pipelines.pipeline import Pipeline, pipeline
from trivet.pipelines.records import OnStep, StepEvent, StepResult, StepStatus, StoredValue
from trivet.pipelines.reproduction import Reproduction, reproduce
from trivet.pipelines.run import How, PipelineRun, run
from trivet.pipelines.source import load_pipeline
from trivet.pipelines.sql_store import SqlStepCache
from trivet.pipelines.step import Step, step
from trivet.pipelines.store import StepCache
from trivet.pipelines.workspace import Workspace

__all__ = [
    "Differs",
    "Executor",
    "How",
    "InProcessExecutor",
    "NotReproducible",
    "OnStep",
    "OutputUnknown",
    "Pipeline",
    "PipelineNotFound",
    "PipelineRun",
    "ProcessExecutor",
    "Reproduction",
    "SqlStepCache",
    "Step",
    "StepCache",
    "StepEvent",
    "StepFailed",
    "StepResult",
    "StepStatus",
    "StoredValue",
    "Workspace",
    "describe_value",
    "load_pipeline",
    "pipeline",
    "pipeline_graph",
    "reproduce",
    "run",
    "step",
]
