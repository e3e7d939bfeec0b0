"""What is on the disk when a run is cut off anywhere: what counts stands, what does not is cut off."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from fhirtwin.cohort.job import Block, Item
from fhirtwin.cohort.journal import Journal, begun
from fhirtwin.errors import Incorrect

ABOUT = {"day": "2026-06-01", "input": "x"}


def files(folder: Path) -> dict[str, Path]:
    return {"rows": folder / "out", "refused": folder / "out.refused"}


def block(number: int) -> Block:
    return Block(number, 100 * (number + 1), (Item(10 * number + 9, b""),))


def add(journal: Journal, number: int) -> None:
    data = {"rows": b"row %d\n" % number, "refused": b"no %d\n" % number}
    journal.add(block(number), data, [bytes([number]) * 16], 1)


def test_files_get_their_names_when_all_is_there(tmp_path: Path) -> None:
    journal = Journal(files(tmp_path), ABOUT)
    add(journal, 0)
    assert not (tmp_path / "out").exists()
    journal.finish()
    assert sorted(one.name for one in tmp_path.iterdir()) == ["out", "out.refused"]
    assert (tmp_path / "out").read_bytes() == b"row 0\n"


def test_cut_off_at_any_byte_of_the_next_block_it_goes_on_after_the_last_that_counts(tmp_path: Path) -> None:
    before = tmp_path / "before"
    before.mkdir()
    journal = Journal(files(before), ABOUT)
    add(journal, 0)
    journal.close()
    whole = {one.name: one.read_bytes() for one in before.iterdir()}
    journal = Journal(files(before), ABOUT)
    add(journal, 1)
    journal.close()
    after = {one.name: one.read_bytes() for one in before.iterdir()}
    order = ["out.part", "out.refused.part", "out.journal"]
    for place, name in enumerate(order):
        for more in range(len(after[name]) - len(whole[name])):
            folder = tmp_path / f"{place}-{more}"
            folder.mkdir()
            for other in order[:place]:
                (folder / other).write_bytes(after[other])
            (folder / name).write_bytes(after[name][: len(whole[name]) + more])
            for other in order[place + 1 :]:
                (folder / other).write_bytes(whole[other])
            resumed = Journal(files(folder), ABOUT)
            assert resumed.last == Block(0, 100, (Item(9, b""),))
            assert (resumed.rows, resumed.refused, resumed.seen) == (1, 1, {bytes(16)})
            add(resumed, 1)
            resumed.finish()
            assert (folder / "out").read_bytes() == b"row 0\nrow 1\n"
            assert (folder / "out.refused").read_bytes() == b"no 0\nno 1\n"
            shutil.rmtree(folder)


def test_cut_off_between_the_names_it_gives_the_rest(tmp_path: Path) -> None:
    journal = Journal(files(tmp_path), ABOUT)
    add(journal, 0)
    journal._append({"finished": True})
    journal.close()
    (tmp_path / "out.part").rename(tmp_path / "out")
    with pytest.raises(Incorrect, match="is there already"):
        Journal(files(tmp_path), ABOUT)
    assert sorted(one.name for one in tmp_path.iterdir()) == ["out", "out.refused"]


def test_another_run_is_not_gone_on_with(tmp_path: Path) -> None:
    journal = Journal(files(tmp_path), ABOUT)
    add(journal, 0)
    journal.close()
    with pytest.raises(Incorrect, match="day differ"):
        Journal(files(tmp_path), {**ABOUT, "day": "2026-06-02"})
    assert begun(tmp_path / "out") == ABOUT
    assert (tmp_path / "out.part").read_bytes() == b"row 0\n"


def test_a_run_that_came_to_nothing_stands_in_nobodys_way(tmp_path: Path) -> None:
    Journal(files(tmp_path), ABOUT).close()
    journal = Journal(files(tmp_path), {**ABOUT, "day": "2026-06-02"})
    assert begun(tmp_path / "out")["day"] == "2026-06-02"
    add(journal, 0)
    journal.finish()
    assert (tmp_path / "out").read_bytes() == b"row 0\n"


def test_a_run_that_came_to_nothing_leaves_nothing(tmp_path: Path) -> None:
    Journal(files(tmp_path), ABOUT).close()
    assert not list(tmp_path.iterdir())


def test_what_names_patients_is_for_its_owner_alone_also_where_it_was_open_before(tmp_path: Path) -> None:
    (tmp_path / "out.part").touch(0o644)
    journal = Journal(files(tmp_path), ABOUT)
    add(journal, 0)
    assert {one.name: one.stat().st_mode & 0o777 for one in tmp_path.iterdir()} == dict.fromkeys(
        ("out.part", "out.refused.part", "out.journal"), 0o600
    )
    journal.finish()
    assert {one.stat().st_mode & 0o777 for one in tmp_path.iterdir()} == {0o600}


def test_two_at_once_are_refused(tmp_path: Path) -> None:
    journal = Journal(files(tmp_path), ABOUT)
    with pytest.raises(Incorrect, match="Another"):
        Journal(files(tmp_path), ABOUT)
    journal.close()


def test_what_is_there_is_not_overwritten(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("precious")
    with pytest.raises(Incorrect, match="is there already"):
        Journal(files(tmp_path), ABOUT)
    assert [one.name for one in tmp_path.iterdir()] == ["out"]


def test_a_file_that_lost_what_counts_is_told(tmp_path: Path) -> None:
    journal = Journal(files(tmp_path), ABOUT)
    add(journal, 0)
    journal.close()
    (tmp_path / "out.part").write_bytes(b"")
    with pytest.raises(Incorrect, match="shorter"):
        Journal(files(tmp_path), ABOUT)


def test_a_folder_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(Incorrect, match="not there"):
        Journal(files(tmp_path / "none"), ABOUT)
