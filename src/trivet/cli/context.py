"""What a command acts on: the app of the home that the command line names."""

import os
from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate, ParamSpec, TypeVar

import click

from trivet.app import App
from trivet.settings import Settings

P = ParamSpec("P")
R = TypeVar("R")


def read_settings(**given: Any) -> Settings:
    """Return the settings in force for the command that is running.

    `given` are settings the command has options for; `--home` is taken from `trivet` itself.
    """
    obj = click.get_current_context().find_object(dict) or {}
    return Settings.read(os.environ, **{"home": obj.get("home"), **given})


def with_app(command: Callable[Concatenate[App, P], R]) -> Callable[P, R]:
    """Open the app, call `command` with it first, and close it, however the command ends."""

    @wraps(command)
    def opened(*args: P.args, **kwargs: P.kwargs) -> R:
        with App.open(read_settings()) as app:
            return command(app, *args, **kwargs)

    return opened
