"""Errors of the gates."""

from trivet.kernel.errors import Conflict


class GatesFailed(Conflict):
    """A candidate did not pass its gates; each sentence names a number and the bound it missed."""

    def __init__(self, subject: str, sentences: tuple[str, ...], evidence: tuple[str, ...] = ()):
        super().__init__(subject, sentences, evidence)
        self.subject = subject
        self.sentences = sentences
        self.evidence = evidence

    def __str__(self) -> str:
        count = len(self.sentences)
        gates = "1 gate" if count == 1 else f"{count} gates"
        return f"{self.subject} did not pass {gates}: {' '.join(self.sentences)}"
