"""Try mutants: put one small fault after the other into what judges, and see whether a test notices.

mutmut makes the mutants, and its `results` and `show` read what is found here. It would try them, too, but
with a pytest of its own for each: seconds for each of thousands. And its process is warm from an earlier
run: what was reckoned and kept while the code was whole stays right. Here the tests are collected once,
none is run before a mutant is in force, and each mutant is a fork in which the tests that pass through its
function run, the ones that killed others first, then the quickest, until one fails.

What runs while a module is imported (a table of rules, a value at the head of a test) would be right before
the fork. For mutants of such functions the fork forgets what it has imported of ours, and collects its
tests anew.

    python build_support/try_mutants.py [-j CHILDREN] [--tests PATH] [--again STATUS] [--table] [PATTERN ...]

PATTERN: names of mutants (`coldchain.rules.limit*`); without one, those that were not tried yet. From the
folder of the project, whose `mutants` folder it writes; never in a tree that others use. `make mutants`
sets COLDCHAIN_HYPOTHESIS=mutants, which keeps searches short. TRY_MUTANTS_LOUD=1 shows what the tests say.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import resource
import signal
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from fnmatch import fnmatch
from functools import partial
from multiprocessing.sharedctypes import RawArray
from pathlib import Path

import pytest
from _pytest.runner import runtestprotocol
from mutmut.__main__ import copy_also_copy_files, copy_src_dir, create_mutants
from mutmut.configuration import config
from mutmut.mutation import trampoline
from mutmut.mutation.data import SourceFileMutationData
from mutmut.utils.format_utils import mangled_name_from_mutant_name

#: mutmut's own numbers for what became of a mutant.
KILLED, SURVIVED, UNTESTED, TIMEOUT = 1, 0, 33, 36
WORDS = {"killed": KILLED, "survived": SURVIVED, "untested": UNTESTED, "timeout": TIMEOUT, "untried": None}
#: What is imported anew for a mutant of what runs at import.
OURS = {"coldchain", "coldchain_drivers", "coldchain_simulators", "tests"}
#: Libraries stay imported; of its plug-ins among them pytest would have rewritten the assertions.
ANEW = "ignore::pytest.PytestAssertRewriteWarning"
#: A test under a mutant may take so much processor time: a second, and so many times what it took without.
SLACK_S, TIMES = 2.0, 20.0


class Switch:
    """Which mutant is in force in this process, or "stats" while hits are counted."""

    mutant = ""
    hits: set[str] = set()

    @classmethod
    def install(cls) -> None:
        """Have all mutated functions ask here."""
        trampoline.get_mutant_under_test = lambda: cls.mutant
        trampoline.record_trampoline_hit = lambda name, caller=None: cls.hits.add(name)


@dataclass
class Seen:
    """What a clean run showed.

    at_import: functions that ran while modules were imported. tests: by function, those that pass through it.
    """

    at_import: set[str] = field(default_factory=set)
    tests: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    took_s: dict[str, float] = field(default_factory=dict)
    failed: list[str] = field(default_factory=list)

    def all_for(self, function: str) -> list[str]:
        """All tests, those of its own package first: who uses what a function made at import is not known."""
        own = f"tests/unit/{function.split('.')[1]}/"
        return sorted(self.took_s, key=lambda name: (not name.startswith(own), self.took_s[name]))


def pytest_args(*more: str) -> list[str]:
    """What pytest is told; it would else parse the file with all its mutants to describe each failure."""
    return [
        "--rootdir=.",
        "-q",
        "-s",
        "--no-header",
        "--no-summary",
        "-W",
        ANEW,
        *config().pytest_add_cli_args,
        *more,
    ]


class Loop:
    """A pytest plugin: collect, then do `work` with the tests instead of running them."""

    def __init__(self, work: Callable[[dict[str, pytest.Item]], None]) -> None:
        self.work = work

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """Take pytest's place."""
        if session.testsfailed:
            raise SystemExit(f"{session.testsfailed} test modules cannot be collected")
        self.work({item.nodeid: item for item in session.items})
        return True


def passes(item: pytest.Item) -> bool:
    """Run one test with all that it needs, by itself."""
    return all(report.outcome != "failed" for report in runtestprotocol(item, log=False, nextitem=None))


def collected(work: Callable[[dict[str, pytest.Item]], None], *what: str) -> None:
    """Collect the tests in this process, and do something with them."""
    found = pytest.main(pytest_args(*what), plugins=[Loop(work)])
    if found not in (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED):
        raise SystemExit(f"pytest ended with {found!r}")


def in_fork(work: Callable[[], int]) -> int:
    """The id of a child that does this, in silence, and ends with what it answers."""
    pid = os.fork()
    if pid:
        return pid
    code = TIMEOUT
    with contextlib.suppress(BaseException):
        code = 70  # something else than a test went wrong
        silent = os.open(os.devnull, os.O_WRONLY)
        os.dup2(silent, 1)
        if "TRY_MUTANTS_LOUD" not in os.environ:
            os.dup2(silent, 2)
        code = work()
    os._exit(code)


# --- A clean run: which tests pass through which function, and how long they take ---------------------------


def clean_run(selection: list[str]) -> Seen:
    """Every test once without any mutant, in a process that is then thrown away."""
    reading, writing = os.pipe()

    def work() -> int:
        os.close(reading)
        seen = Seen()
        Switch.mutant, Switch.hits = "stats", set()

        def each(items: dict[str, pytest.Item]) -> None:
            seen.at_import = set(Switch.hits)
            for name, item in items.items():
                Switch.hits = set()
                begun = time.process_time()
                if not passes(item):
                    seen.failed.append(name)
                seen.took_s[name] = time.process_time() - begun
                for function in Switch.hits:
                    seen.tests[function].append(name)

        collected(each, *selection)
        with os.fdopen(writing, "w") as out:
            json.dump([sorted(seen.at_import), seen.tests, seen.took_s, seen.failed], out)
        return 0

    pid = in_fork(work)
    os.close(writing)
    with os.fdopen(reading) as told:
        text = told.read()
    os.waitpid(pid, 0)
    if not text:
        raise SystemExit("the clean run said nothing; TRY_MUTANTS_LOUD=1 shows why")
    at_import, tests, took_s, failed = json.loads(text)
    if failed:
        raise SystemExit("these fail without any mutant: " + ", ".join(failed))
    return Seen(set(at_import), tests, took_s)


# --- One mutant ---------------------------------------------------------------------------------------------


class Kills:
    """How many mutants each test has killed, counted by all forks together: who killed one kills the next."""

    def __init__(self, took_s: dict[str, float]) -> None:
        self.took_s = took_s
        self.at = {name: at for at, name in enumerate(took_s)}
        self.count = RawArray("L", len(took_s))

    def order(self, names: list[str]) -> list[str]:
        """The best killer first, then the quickest."""
        return sorted(names, key=lambda name: (-self.count[self.at[name]], self.took_s[name]))

    def one_more(self, name: str) -> None:
        """This test has killed one."""
        self.count[self.at[name]] += 1


def tried(mutant: str, names: list[str], items: dict[str, pytest.Item], kills: Kills) -> int:
    """Run tests under a mutant, until one fails."""
    Switch.mutant = mutant
    for name in names:
        signal.setitimer(signal.ITIMER_PROF, SLACK_S + TIMES * kills.took_s[name])  # ends this process
        if not passes(items[name]):
            kills.one_more(name)
            return KILLED
    signal.setitimer(signal.ITIMER_PROF, 0)
    return SURVIVED


def tried_from_scratch(mutant: str, names: list[str], kills: Kills) -> int:
    """The same, with everything of ours imported anew under the mutant. That it cannot be is noticed, too."""
    for module in [module for module in sys.modules if module.partition(".")[0] in OURS]:
        del sys.modules[module]
    Switch.mutant = mutant
    signal.setitimer(signal.ITIMER_PROF, 60)
    answer = KILLED

    def work(items: dict[str, pytest.Item]) -> None:
        nonlocal answer
        answer = tried(mutant, [name for name in names if name in items], items, kills)

    with contextlib.suppress(SystemExit):
        collected(work, *dict.fromkeys(name.split("::")[0] for name in names))
    return answer


class Children:
    """So many at a time. `done` is told what became of each."""

    def __init__(self, most: int, done: Callable[[str, int], None]) -> None:
        self.most = most
        self.done = done
        self.mutants: dict[int, str] = {}

    def start(self, mutant: str, work: Callable[[], int]) -> None:
        """Try a mutant as soon as a child is free."""
        while len(self.mutants) >= self.most:
            self.wait()
        self.mutants[in_fork(work)] = mutant

    def wait(self) -> None:
        """Until one of them ends."""
        pid, status = os.wait()
        code = os.waitstatus_to_exitcode(status)
        self.done(self.mutants.pop(pid), TIMEOUT if code < 0 else code)

    def wait_for_all(self) -> None:
        """Until none is left."""
        while self.mutants:
            self.wait()


# --- All of them --------------------------------------------------------------------------------------------


class Book:
    """What became of each mutant, kept in mutmut's own files."""

    def __init__(self) -> None:
        self.files: dict[str, SourceFileMutationData] = {}
        for path in sorted(Path().glob("coldchain/**/*.py")):
            if config().should_mutate(path):
                data = SourceFileMutationData(path=path)
                data.load()
                for name in data.exit_code_by_key:
                    self.files[name] = data

    def chosen(self, patterns: list[str], again: list[str]) -> Iterator[str]:
        """The mutants that are asked for."""
        for name, data in self.files.items():
            code = data.exit_code_by_key[name]
            if patterns and not any(fnmatch(name, pattern) for pattern in patterns):
                continue
            if again and code not in {WORDS[word] for word in again}:
                continue
            if patterns or again or code is None:
                yield name

    def keep(self, name: str, code: int) -> None:
        """Write down at once: a run that is stopped goes on where it was."""
        data = self.files[name]
        data.load()  # another run may have tried others meanwhile
        data.exit_code_by_key[name] = code
        whole = data.meta_path
        data.meta_path = whole.with_suffix(".new")
        data.save()
        data.meta_path.replace(whole)
        data.meta_path = whole

    def table(self) -> str:
        """Module by module, and every one that no test saw."""
        columns = ("mutants", *WORDS, "otherwise")
        lines, total = [], Counter[str]()
        for data in dict.fromkeys(self.files.values()):
            codes = Counter(data.exit_code_by_key.values())
            row = Counter({word: codes[code] for word, code in WORDS.items()})
            row["otherwise"] = len(data.exit_code_by_key) - row.total()
            row["mutants"] = len(data.exit_code_by_key)
            total += row
            lines.append((str(data.path), row))
        lines.append(("together", total))
        said = [" " * 36 + "".join(f"{word:>10}" for word in columns)]
        said += [f"{name:36}" + "".join(f"{row[word]:10}" for word in columns) for name, row in lines]
        for name, data in self.files.items():
            if data.exit_code_by_key[name] in (SURVIVED, UNTESTED):
                said.append(f"  {self.word(data.exit_code_by_key[name]):9} {name}")
        return "\n".join(said)

    @staticmethod
    def word(code: int | None) -> str:
        """What a number says; a test process that ended otherwise than a test can is worth a look."""
        return next((word for word, known in WORDS.items() if known == code), f"ended with {code}")


def run(most: int, patterns: list[str], again: list[str], tests: list[str] | None) -> None:
    """Make the mutants, then try those that are asked for."""
    Path("mutants").mkdir(exist_ok=True)
    with Path(os.devnull).open("w") as silent, contextlib.redirect_stdout(silent):
        copy_src_dir()
        copy_also_copy_files()
        create_mutants(most)
    book = Book()
    wanted = list(book.chosen(patterns, again))
    selection = tests or config().pytest_add_cli_args_test_selection
    root = Path.cwd()
    sys.path[:] = [
        str(root / "mutants"),
        *(at for at in sys.path if Path(at).resolve() not in (root, root / "build_support")),
    ]
    os.chdir("mutants")
    Switch.install()
    begun = time.monotonic()
    seen = clean_run(selection)
    print(f"{len(seen.took_s)} tests pass without a mutant; {len(wanted)} mutants to try", flush=True)
    count = 0

    def done(mutant: str, code: int) -> None:
        nonlocal count
        count += 1
        with contextlib.chdir(root):
            book.keep(mutant, code)
        if code != KILLED or not count % 50:
            print(f"{time.monotonic() - begun:7.0f} s {count:5} {book.word(code):9} {mutant}", flush=True)

    children, kills = Children(most, done), Kills(seen.took_s)

    def work(items: dict[str, pytest.Item]) -> None:
        for mutant in wanted:
            function = mangled_name_from_mutant_name(mutant)
            names = kills.order(seen.tests.get(function, []))
            if function in seen.at_import:
                names = names or seen.all_for(function)
                children.start(mutant, partial(tried_from_scratch, mutant, names, kills))
            elif names:
                children.start(mutant, partial(tried, mutant, names, items, kills))
            else:
                done(mutant, UNTESTED)
        children.wait_for_all()

    collected(work, *selection)
    os.chdir(root)
    print(book.table())


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description="Put small faults into what judges and see whether a test notices."
    )
    parser.add_argument("-j", type=int, default=1, metavar="CHILDREN", help="mutants tried at a time (1)")
    parser.add_argument("--again", action="append", default=[], choices=WORDS, help="those that ended so")
    parser.add_argument(
        "--tests", action="append", metavar="PATH", help="these instead of those in pyproject.toml"
    )
    parser.add_argument("--table", action="store_true", help="what was found so far, and nothing else")
    parser.add_argument(
        "patterns", nargs="*", metavar="PATTERN", help="names of mutants; none: all not tried yet"
    )
    asked = parser.parse_args()
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if asked.table:
        print(Book().table())
    else:
        run(asked.j, asked.patterns, asked.again, asked.tests)


if __name__ == "__main__":
    main()
