"""Errors of monitoring."""

from trivet.kernel.errors import Conflict, InvalidInput, NotFound


class AlertNotFound(NotFound):
    """No alert has this id."""

    def __init__(self, alert_id: str) -> None:
        super().__init__(alert_id)
        self.alert_id = alert_id

    def __str__(self) -> str:
        return (
            f"No alert has the id {self.alert_id!r}. 'trivet alerts list' shows those there are."
        )


class AlertAmbiguous(InvalidInput):
    """Several alerts' ids begin like this."""

    def __init__(self, alert_id: str) -> None:
        super().__init__(alert_id)
        self.alert_id = alert_id

    def __str__(self) -> str:
        return f"More than one alert's id begins with {self.alert_id!r}; write more of it."


class AlertClosed(Conflict):
    """A closed alert was to be changed."""

    def __init__(self, alert_id: str, status: str) -> None:
        super().__init__(alert_id, status)
        self.alert_id = alert_id
        self.status = status

    def __str__(self) -> str:
        return f"Alert {self.alert_id!r} is {self.status} already; that is for ever."


class FoldOvertaken(Conflict):
    """Another process has folded the same part of the journal."""

    def __init__(self, expected: int) -> None:
        super().__init__(expected)
        self.expected = expected

    def __str__(self) -> str:
        return (
            f"The journal was folded on from position {self.expected} by another process; "
            "nothing was added twice."
        )


class AnswerNotFound(NotFound):
    """No answer has this id, or it is older than what monitoring remembers."""

    def __init__(self, prediction: str) -> None:
        super().__init__(prediction)
        self.prediction = prediction

    def __str__(self) -> str:
        return f"Monitoring remembers no prediction with the id {self.prediction!r}."
