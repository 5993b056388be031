"""The reconciler: folds the log, carries rollouts on, raises alerts, and repairs models."""

from trivet.control.assembly import open_controller, open_fold
from trivet.control.controller import Controller, Part, Tick
from trivet.control.duel import Duel, judge_duel
from trivet.control.errors import BadPolicy, RepairActive, RepairNotFound
from trivet.control.policies import read_policy
from trivet.control.records import Level, Repair, RepairPhase, RepairPolicy
from trivet.control.repairing import Repairer
from trivet.control.sql_repair_store import SqlRepairStore
from trivet.control.store import RepairStore
from trivet.control.stores import Stores
from trivet.control.training import Training, TrainingResult

__all__ = [
    "BadPolicy",
    "Controller",
    "Duel",
    "Level",
    "Part",
    "Repair",
    "RepairActive",
    "RepairNotFound",
    "RepairPhase",
    "RepairPolicy",
    "RepairStore",
    "Repairer",
    "SqlRepairStore",
    "Stores",
    "Tick",
    "Training",
    "TrainingResult",
    "judge_duel",
    "open_controller",
    "open_fold",
    "read_policy",
]
