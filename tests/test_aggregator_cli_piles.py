"""``newsfold fold``, ``evaluate`` and ``train`` as a user meets them."""

import contextlib
import gzip
import json
import os
import pty
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from aggregator.cli.commands import main

ROOT = Path(__file__).parent.parent
PROCESS = [sys.executable, "-c", "from aggregator.cli.commands import main; main()"]

FLOOD = (
    "The river Tamsel rose two metres overnight and flooded the old town of Brenke, where 340 "
    "people had to leave their homes. Mayor Ilse Voort said the dyke at the brewery had held, and "
    "that the water would fall from Thursday. The army brought 9,000 sandbags from Kolmar."
)
FLOOD_RETOLD = (
    "Some 340 residents of Brenke spent the night in school halls after the Tamsel burst its banks "
    "and filled the old town. Ilse Voort, the mayor, thanked soldiers from Kolmar for 9,000 "
    "sandbags. Forecasters expect the flood to ebb from Thursday."
)
CHESS = (
    "Grandmaster Leko Baran, 19, won the Adria Cup on Saturday after his rival Nuno Peres lost "
    "a rook in the final game. Baran takes home 60,000 euros and a place among the candidates."
)


def row(id_: object, title: str, text: str, published: str | None, **more: object) -> dict:
    fields = {"id": id_, "title": title, "text": text, "published": published, "lang": "en"}
    return fields | more


ROWS = [
    row("chess", "Baran, 19, wins the Adria Cup", CHESS, "2026-03-02", cluster="c"),
    row("flood-2", "Brenke flooded: 340 in school halls", FLOOD_RETOLD, "2026-03-01", cluster="f"),
    row("flood-1", "Tamsel floods the old town of Brenke", FLOOD, "2026-02-28", cluster="f"),
    row("flood-3", "Flood in Brenke", FLOOD, "2026-03-01T12:00:00+02:00", cluster="f"),
]


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def newsfold(*words: str) -> Result:
    return CliRunner().invoke(main, words)


def lines(*values: object) -> bytes:
    return b"".join(
        (value if isinstance(value, bytes) else json.dumps(value).encode()) + b"\n"
        for value in values
    )


def write(name: str, *values: object) -> str:
    data = lines(*values)
    Path(name).write_bytes(gzip.compress(data) if name.endswith(".gz") else data)
    return name


def outcome(text: str) -> dict[str, dict]:
    found = [json.loads(line) for line in text.splitlines()]
    assert all(list(one) == ["id", "story", "copy_of", "score", "why"] for one in found)
    return {one["id"]: one for one in found}


def process(*words: str, **more: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*PROCESS, *words],
        env={"PYTHONPATH": str(ROOT)},
        stderr=subprocess.PIPE,
        text=True,
        check=False,
        timeout=120,
        **more,
    )


# --- fold -----------------------------------------------------------------------------------------


def test_fold_writes_a_line_an_article_in_order_of_publication() -> None:
    said = newsfold("fold", write("a.jsonl", *ROWS))
    assert (said.exit_code, said.stderr) == (0, "")
    found = outcome(said.stdout)
    assert list(found) == ["flood-1", "flood-2", "flood-3", "chess"]
    stories = {id_: one["story"] for id_, one in found.items()}
    assert stories == dict.fromkeys(("flood-1", "flood-2", "flood-3"), "flood-1") | {
        "chess": "chess"
    }
    assert [found[id_]["copy_of"] for id_ in found] == [None, None, "flood-1", None]
    assert found["flood-1"]["why"] == "the first of its story"
    assert found["flood-3"]["why"] == "same text as flood-1, 100 %"
    assert "the same event as flood-1; names in common: " in found["flood-2"]["why"]
    assert "Ilse Voort" in found["flood-2"]["why"]


def test_several_files_packed_or_not_are_one_pile_whatever_their_names() -> None:
    names = (write("a.jsonl.gz", *ROWS[:2]), write("b.jsonl", *ROWS[2:]))
    Path("a.jsonl.gz").rename("a.data")
    together = newsfold("fold", "a.data", names[1]).stdout
    assert together == newsfold("fold", write("all.jsonl", *ROWS)).stdout


def test_an_article_may_lack_everything_but_its_id() -> None:
    nulls = dict.fromkeys(("title", "text", "url", "publisher", "published", "lang"))
    odd = {"title": 5, "text": ["x"], "url": {}, "published": "someday", "lang": 1, "cluster": []}
    said = newsfold("fold", write("a.jsonl", {"id": 1}, {"id": "2", **nulls}, {"id": 3, **odd}))
    assert (said.exit_code, said.stderr) == (0, "")
    assert {id_: one["story"] for id_, one in outcome(said.stdout).items()} == {
        "1": "1",
        "2": "2",
        "3": "3",
    }


def test_what_is_no_article_is_named_by_its_line_and_the_rest_goes_on() -> None:
    deep = b'{"id": ' + b"[" * 200_000
    name = write(
        "a.jsonl",
        b"\xef\xbb\xbf" + json.dumps(ROWS[0]).encode(),
        b"not json",
        b"",
        [1],
        {"title": "nameless"},
        {"id": True, "title": "odd"},
        {"id": "", "title": "empty"},
        ROWS[0],
        deep,
        b'{"id": "x"' + b" " * 1_000_000,
        b"\xff\xfe\x00",
        ROWS[1],
    )
    said = newsfold("fold", name)
    assert said.exit_code == 0
    assert list(outcome(said.stdout)) == ["flood-2", "chess"]
    problems = said.stderr.splitlines()
    assert [int(line.split(":")[2]) for line in problems] == [2, 4, 5, 6, 7, 8, 9, 10, 11]
    assert problems[0].startswith("skipped: a.jsonl:2: not JSON: ")
    assert problems[1] == "skipped: a.jsonl:4: not an object"
    assert problems[2] == "skipped: a.jsonl:5: no id"
    assert problems[5] == "skipped: a.jsonl:8: id 'chess' was already there"
    assert problems[6].endswith("nested too deeply")
    assert max(map(len, problems)) < 200


def test_an_id_is_told_twice_across_files_too() -> None:
    said = newsfold("fold", write("a.jsonl", *ROWS), write("b.jsonl", ROWS[2]))
    assert said.stderr == "skipped: b.jsonl:1: id 'flood-1' was already there\n"
    assert len(outcome(said.stdout)) == len(ROWS)


def test_nothing_but_bad_lines_is_an_error_and_an_empty_file_is_none() -> None:
    said = newsfold("fold", write("a.jsonl", b"x", b"y"), "--out", "o.jsonl")
    assert said.exit_code == 1
    assert said.stderr.endswith("none of these lines is an article\n")
    assert not Path("o.jsonl").exists()
    said = newsfold("fold", write("empty.jsonl"))
    assert (said.exit_code, said.stdout, said.stderr) == (0, "", "")


def test_a_packed_file_that_breaks_off_gives_what_it_held() -> None:
    whole = gzip.compress(lines(*ROWS) + os.urandom(50_000).hex().encode())
    Path("a.jsonl.gz").write_bytes(whole[:-20_000])
    said = newsfold("fold", "a.jsonl.gz")
    assert said.exit_code == 0
    assert len(outcome(said.stdout)) == len(ROWS)
    assert "a.jsonl.gz:5: the gzip data are broken, nothing after this was read" in said.stderr


def test_broken_dates_are_none_and_do_not_push_others_out_of_the_window() -> None:
    undated = [{**one, "published": None} for one in ROWS[1:3]]
    broken = ("1970-01-01", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "x" * 9_000)
    odd = [row(f"odd-{n}", f"Odd {n}", "", date) for n, date in enumerate(broken)]
    said = newsfold("fold", write("a.jsonl", *odd, ROWS[0], *undated))
    found = outcome(said.stdout)
    assert found["flood-1"]["story"] == found["flood-2"]["story"]


def test_halves_of_characters_are_no_trouble() -> None:
    name = write(
        "a.jsonl", b'{"id": "a\\ud800", "title": "Half \\udc00 a title", "text": "\\ud83d"}'
    )
    said = newsfold("fold", name)
    assert list(outcome(said.stdout)) == ["a?"]


# --- where the outcome goes -----------------------------------------------------------------------


def test_out_appears_whole_and_replaces_what_was_there() -> None:
    name = write("a.jsonl", *ROWS)
    Path("o.jsonl").write_text("older")
    Path("o.jsonl").chmod(0o600)
    assert newsfold("fold", name, "--out", "o.jsonl").exit_code == 0
    assert Path("o.jsonl").read_text() == newsfold("fold", name).stdout
    assert Path("o.jsonl").stat().st_mode & 0o777 == 0o600
    assert sorted(path.name for path in Path.cwd().iterdir()) == ["a.jsonl", "o.jsonl"]


def test_a_place_that_cannot_be_written_is_told_before_the_work() -> None:
    said = newsfold("fold", write("a.jsonl", b"bad"), "--out", "no/such/o.jsonl")
    assert said.exit_code == 1
    assert said.stderr == "cannot write no/such/o.jsonl: No such file or directory\n"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full here")
def test_a_full_disk_is_one_clear_line() -> None:
    name = write("a.jsonl", *ROWS)
    said = newsfold("fold", name, "--out", "/dev/full")
    assert (said.exit_code, said.stderr) == (1, "cannot write /dev/full: No space left on device\n")
    with Path("/dev/full").open("w") as full:
        done = process("fold", name, stdout=full)
    assert done.returncode == 1
    assert done.stderr == "cannot write standard output: No space left on device\n"


def test_a_reader_who_has_enough_ends_it_quietly() -> None:
    name = write("a.jsonl", *ROWS)
    read, written = os.pipe()
    os.close(read)
    done = process("fold", name, stdout=written)
    os.close(written)
    assert (done.returncode, done.stderr) == (1, "")


def test_an_interrupt_ends_it_and_leaves_no_file() -> None:
    os.mkfifo("endless")
    # Who was begun in the background, this process too, is told to ignore it.
    heeding = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler); "
    python, option, program = PROCESS
    words = [python, option, heeding + program, "fold", "endless", "--out", "o.jsonl"]
    with (
        subprocess.Popen(
            words, env={"PYTHONPATH": str(ROOT)}, stderr=subprocess.PIPE, text=True
        ) as running,
        Path("endless").open("wb") as feeding,  # opens once the other side reads
    ):
        feeding.write(lines(ROWS[0]))
        feeding.flush()
        # A signal between Python's last look for one and the read that blocks waits for the next.
        for _ in range(30):
            running.send_signal(signal.SIGINT)
            with contextlib.suppress(subprocess.TimeoutExpired):
                running.wait(timeout=2)
                break
        else:
            running.kill()
        _, said = running.communicate(timeout=60)
    assert (running.returncode, said.strip()) == (1, "Aborted!")
    assert [path.name for path in Path.cwd().iterdir()] == ["endless"]


def on_a_terminal(*words: str) -> tuple[int, str]:
    """The exit code, and what a person sees."""
    child, terminal = pty.fork()
    if not child:
        os.environ["PYTHONPATH"] = str(ROOT)
        os.execv(PROCESS[0], [*PROCESS, *words])
    seen = b""
    while True:
        try:
            some = os.read(terminal, 65_536)
        except OSError:  # how Linux says that the other side is closed
            some = b""
        if not some:
            break
        seen += some
    os.close(terminal)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), seen.decode()


@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")  # pty.fork beside threads
def test_a_terminal_shows_progress() -> None:
    code, seen = on_a_terminal("fold", write("a.jsonl", *ROWS), "--out", "o.jsonl")
    assert code == 0
    assert "Reading   [####" in seen
    assert "Folding   [####################################]  100%" in seen
    assert newsfold("fold", "a.jsonl").stderr == ""


# --- evaluate -------------------------------------------------------------------------------------


def test_evaluate_says_every_figure_and_their_means() -> None:
    apart = [{**one, "id": f"{one['id']}-x", "cluster": f"x{n}"} for n, one in enumerate(ROWS)]
    names = write("a.jsonl", *ROWS, row("unlabelled", "", "", None)), write("b.jsonl", *apart)
    said = newsfold("evaluate", "--json", *names)
    measured = json.loads(said.stdout)
    one, other = measured["files"]
    whole = {"precision": 1.0, "recall": 1.0, "f1": 1.0}
    assert (one["bcubed"], one["pairwise"]) == (whole, whole)
    assert (one["file"], one["articles"], one["found"], one["true"]) == ("a.jsonl", 4, 2, 2)
    assert one["articles_per_second"] > 0
    # Three that are put together and belong apart, and one alone: (3 · 1/3 + 1) / 4.
    assert other["bcubed"] == {"precision": 0.5, "recall": 1.0, "f1": pytest.approx(2 / 3)}
    assert other["pairwise"] == {"precision": 0.0, "recall": 1.0, "f1": 0.0}
    assert measured["macro"] == {
        "bcubed": {"precision": 0.75, "recall": 1.0, "f1": pytest.approx(5 / 6)},
        "pairwise": {"precision": 0.5, "recall": 1.0, "f1": 0.5},
    }
    table = newsfold("evaluate", *names).stdout.splitlines()
    assert table[1].split()[:9] == ["a.jsonl", *["100.0"] * 6, "2", "2"]
    assert table[2].split()[:9] == [
        "b.jsonl", "50.0", "100.0", "66.7", "0.0", "100.0", "0.0", "2", "4"
    ]  # fmt: skip
    assert table[3].split()[-6:] == ["75.0", "100.0", "83.3", "50.0", "100.0", "50.0"]


@pytest.mark.parametrize(
    ("command", "told"),
    [
        (("evaluate",), 'a.jsonl: no article has a "cluster" to measure against'),
        (("train", "--out", "w.json"), 'a.jsonl: no two articles have the same "cluster"'),
    ],
)
def test_a_file_without_labels_is_told(command: tuple[str, ...], told: str) -> None:
    name = write("a.jsonl", *({**one, "cluster": None} for one in ROWS), b"oops")
    said = newsfold(*command, name)
    assert said.exit_code == 1
    assert "skipped: a.jsonl:5: not JSON" in said.stderr
    assert told in said.stderr
    assert not Path("w.json").exists()


@pytest.mark.parametrize("command", ["fold", "evaluate"])
def test_weights_that_are_none_are_told(command: str) -> None:
    said = newsfold(command, write("a.jsonl", *ROWS), "--weights", write("w.json", {}))
    assert said.exit_code == 1
    assert "w.json cannot be read as weights" in said.stderr


def test_train_writes_what_the_weights_are_of() -> None:
    said = newsfold("train", write("a.jsonl", *ROWS), "--out", "w.json")
    assert (said.exit_code, said.stdout) == (0, "Wrote w.json\n")
    provenance = json.loads(Path("w.json").read_text())["provenance"]
    assert provenance["files"] == ["a.jsonl"]
    assert set(provenance) >= {"sha256", "date", "articles", "pairs"}
    bcubed, pairwise = provenance["on the rows trained on"]["a.jsonl"]
    assert 0 <= pairwise <= 100
    assert 0 <= bcubed <= 100
    assert newsfold("evaluate", "a.jsonl", "--weights", "w.json").exit_code == 0


def test_train_says_early_that_it_cannot_write() -> None:
    said = newsfold("train", write("a.jsonl", *ROWS), "--out", "no/such/w.json")
    assert said.exit_code == 1
    assert said.stderr.endswith("cannot write no/such/w.json: No such file or directory\n")


@pytest.mark.parametrize("command", ["fold", "evaluate", "train"])
def test_a_file_that_is_not_there_is_wrong_usage(command: str) -> None:
    said = newsfold(command, "nowhere.jsonl")
    assert said.exit_code == 2
    assert "nowhere.jsonl" in said.stderr or "--out" in said.stderr
