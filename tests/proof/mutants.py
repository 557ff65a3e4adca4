"""Changes Python's loop in small ways, one at a time, and reports which changes the tests notice: mutation testing.

    python -B tests/proof/mutants.py FOLDER SAMPLE SEED

cosmic-ray makes the changes in a copy of the tree, in FOLDER. SAMPLE of them are drawn by the number SEED; those that
change no behaviour are not among them: of annotations, or of `is` to `==`. Each is judged by the tests of tests/python
but for those of programs around palitra, first by the quick ones. What no test notices is printed with its lines.
"""

import os
import random
import re
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
SOURCES = "bindings/python/src"
#: Operators of cosmic-ray. Those of `|` change annotations alone.
OPERATOR = re.compile(
    r"core/(AddNot|ExceptionReplacer|NumberReplacer|RemoveDecorator|ZeroIterationForLoop"
    r"|Replace(AndWithOr|OrWithAnd|FalseWithTrue|TrueWithFalse|ContinueWithBreak)"
    r"|ReplaceUnaryOperator_Delete_(Not|USub)"
    r"|ReplaceBinaryOperator_(Add_Sub|Sub_Add|Div_Mul|Mul_Div|Pow_Mul)"
    r"|ReplaceComparisonOperator_(Eq_NotEq|NotEq_Eq|Is_IsNot|IsNot_Is|Lt_LtE|Lt_GtE|Gt_GtE|Gt_LtE|GtE_Gt|GtE_Lt))$"
)
#: What judges a change first, in one process.
QUICK = ("run", "submit", "gather", "as_completed", "context", "iterate", "loops")
#: Take other packages' processes, or what is installed: they judge no loop.
NOT_JUDGING = ("abi", "http", "import", "package", "readme", "types")
#: The longest that all tests may take together, in seconds: a change may make them hang.
PATIENCE = 1200


def pytest(tree: Path, files: list[str], *words: str) -> str:
    command = f"{sys.executable} -B -m pytest -q -x {' '.join(words)} {' '.join(files)}"
    return f"cd {tree} && PYTHONPATH={tree / SOURCES} {command}"


def judge(tree: Path) -> Path:
    """A script that fails where a test does."""
    tests = sorted(path.stem.removeprefix("test_") for path in (tree / "tests/python").glob("test_*.py"))
    quick = [f"tests/python/test_{name}.py" for name in QUICK]
    rest = [f"tests/python/test_{name}.py" for name in tests if name not in (*QUICK, *NOT_JUDGING)]
    # Contexts that go to another thread and back.
    rest.append("tests/python/hosts/test_django_views.py")
    script = tree.parent / "judge.sh"
    script.write_text(f"#!/bin/sh -e\n{pytest(tree, quick)}\n{pytest(tree, rest, '-n 3 --dist loadfile')}\n")
    script.chmod(0o755)
    return script


def copy(folder: Path) -> Path:
    """What is committed, with the library that is built."""
    tree = folder / "tree"
    shutil.rmtree(folder, ignore_errors=True)
    tree.mkdir(parents=True)
    archive = subprocess.run(["git", "-C", str(ROOT), "archive", "HEAD"], check=True, stdout=subprocess.PIPE).stdout
    subprocess.run(["tar", "-x", "-C", str(tree)], input=archive, check=True)
    (tree / "target").symlink_to(ROOT / "target")
    library = Path(os.environ.get("PALITRA_LIBRARY_DIR", ROOT / "target/release"), "libpalitra.so")
    shutil.copy(library, tree / SOURCES / "palitra")
    return tree


def draw(session: Path, sample: int, seed: int) -> None:
    """Leaves so many of the changes in the session."""
    with sqlite3.connect(session) as database:
        specs = database.execute("select job_id, operator_name from mutation_specs order by 1").fetchall()
        population = [job for job, operator in specs if OPERATOR.match(operator)]
        drawn = set(random.Random(seed).sample(population, min(sample, len(population))))
        print(f"{len(drawn)} of {len(population)} changes are tried", flush=True)
        for job, _ in specs:
            if job not in drawn:
                database.execute("delete from mutation_specs where job_id = ?", (job,))
                database.execute("delete from work_items where job_id = ?", (job,))


def report(session: Path) -> int:
    with sqlite3.connect(session) as database:
        results = database.execute("select test_outcome, diff from work_results").fetchall()
    survivors = [diff for outcome, diff in results if outcome == "SURVIVED"]
    for diff in survivors:
        print("SURVIVED\n" + "\n".join(line for line in diff.splitlines() if not line.startswith("--- mutation")))
    print(f"{len(results) - len(survivors)} of {len(results)} changes were noticed")
    return int(not results)


def main() -> int:
    folder, sample, seed = Path(sys.argv[1]).resolve(), int(sys.argv[2]), int(sys.argv[3])
    tree = copy(folder)
    script, session, config = judge(tree), folder / "session.sqlite", folder / "config.toml"
    module = tree / SOURCES / "palitra/_loop"
    config.write_text(
        f'[cosmic-ray]\nmodule-path = "{module}"\ntimeout = {PATIENCE}.0\nexcluded-modules = []\n'
        f'test-command = "{script}"\n[cosmic-ray.distributor]\nname = "local"\n'
    )
    # A change says something only if the tests pass without one.
    subprocess.run([str(script)], check=True)
    cosmic_ray = os.environ.get("COSMIC_RAY", "cosmic-ray")
    subprocess.run([cosmic_ray, "init", str(config), str(session)], check=True)
    draw(session, sample, seed)
    subprocess.run([cosmic_ray, "exec", str(config), str(session)], check=True)
    return report(session)


if __name__ == "__main__":
    sys.exit(main())
