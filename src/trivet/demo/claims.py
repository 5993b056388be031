"""What the demo claims, each checked against what was seen; the exit code is their conjunction."""

from dataclasses import dataclass, field

from rich.console import Console
from rich.text import Text

from trivet.kernel.clock import Stopwatch, stopwatch
from trivet.kernel.durations import format_duration


@dataclass(frozen=True, slots=True)
class Claim:
    """One thing the demo says of itself, and whether it was so."""

    chapter: str
    sentence: str
    holds: bool


@dataclass(slots=True)
class Claims:
    """Prints each claim as it is checked, under the chapter it belongs to."""

    console: Console
    watch: Stopwatch = stopwatch
    checked: list[Claim] = field(default_factory=list)
    seconds: dict[str, float] = field(default_factory=dict)
    _chapter: str = ""
    _since: float = 0.0

    def open_chapter(self, title: str) -> None:
        """Begin a chapter, and end the one before."""
        self.close_chapter()
        self._chapter, self._since = title, self.watch()
        self.console.print(Text(f"\n{len(self.seconds) + 1:>2}  {title}", style="bold"))

    def close_chapter(self) -> None:
        """Note how long the chapter took."""
        if self._chapter:
            self.seconds[self._chapter] = self.watch() - self._since
            took = format_duration(self.seconds[self._chapter])
            self.console.print(Text(f"    {took}", style="dim"))
        self._chapter = ""

    def tell(self, sentence: str) -> None:
        """Say something that is not checked: what is being done, a figure by itself."""
        self.console.print(Text(f"    · {sentence}"), soft_wrap=True)

    def check(self, holds: bool, sentence: str) -> None:
        """State a claim and whether it holds; the demo goes on either way."""
        self.checked.append(Claim(self._chapter, sentence, holds))
        mark, style = ("✓", "green") if holds else ("✗", "bold red")
        self.console.print(Text(f"    {mark} ", style=style) + Text(sentence), soft_wrap=True)

    @property
    def failed(self) -> list[Claim]:
        """The claims that did not hold."""
        return [claim for claim in self.checked if not claim.holds]
