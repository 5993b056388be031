import subprocess
from pathlib import Path

from trivet.tracking import compare_environments, is_alive, read_environment, this_process
from trivet.tracking.code_state import read_code


def git(folder: Path, *arguments: str) -> None:
    subprocess.run(
        ["git", "-c", "user.name=t", "-c", "user.email=t@example.org", *arguments],
        cwd=folder,
        check=True,
        capture_output=True,
    )


def repository(folder: Path) -> Path:
    folder.mkdir()
    git(folder, "init", "-q")
    (folder / "a.py").write_text("one = 1\n")
    git(folder, "add", "a.py")
    git(folder, "commit", "-qm", "first")
    return folder


def test_a_clean_checkout_is_its_commit(tmp_path: Path) -> None:
    state = read_code(repository(tmp_path / "project"))
    assert state.diff is None
    assert len(str(state.commit)) == 40


def test_changed_and_untracked_files_are_in_the_difference(tmp_path: Path) -> None:
    folder = repository(tmp_path / "project")
    (folder / "a.py").write_text("one = 2\n")
    (folder / "new.py").write_text("two = 2\n")
    (folder / ".trivet").mkdir()
    (folder / ".trivet" / "trivet.db").write_text("our own")
    diff = (read_code(folder, ignored=folder / ".trivet").diff or b"").decode()
    assert "+one = 2" in diff
    assert "two = 2" in diff
    assert "our own" not in diff


def test_a_large_untracked_file_is_named_and_not_read(tmp_path: Path) -> None:
    folder = repository(tmp_path / "project")
    (folder / "big.bin").write_bytes(b"x" * (3 << 20))
    diff = read_code(folder).diff or b""
    assert b"untracked big.bin 3145728" in diff
    assert len(diff) < 1000


def test_a_folder_without_git_has_no_commit(tmp_path: Path) -> None:
    state = read_code(tmp_path)
    assert (state.commit, state.diff) == (None, None)


def test_the_environment_names_packages_and_no_place(tmp_path: Path) -> None:
    environment = read_environment(tmp_path)
    assert environment["packages"]["numpy"]["version"]
    assert len(environment["packages"]["numpy"]["record"]) == 64
    assert str(Path.home()) not in str(environment)


def test_environments_are_compared_package_by_package(tmp_path: Path) -> None:
    now = read_environment(tmp_path)
    packages = dict(now["packages"])
    packages["numpy"] = {"version": "1.0", "record": None}
    then = {**now, "packages": packages, "os": {**now["os"], "release": "old"}}
    lines = compare_environments(then, now)
    assert len(lines) == 2
    assert lines[0].startswith("numpy: 1.0 (no record) then, ")
    assert lines[1].startswith("os release: old then, ")
    assert compare_environments(now, now) == []


def test_this_process_is_alive_and_one_that_ended_is_not() -> None:
    here = this_process()
    assert is_alive(here) is True
    assert is_alive({**here, "started": "1"}) is False
    assert is_alive({**here, "boot": "another"}) is False
    assert is_alive({**here, "pid": 2**22 + 1}) is False
    assert is_alive({**here, "host": "elsewhere"}) is None
    assert is_alive({}) is None
