"""The benchmark works and leaves a sound ledger. How fast anything is, no test asserts."""

import json
import subprocess
import sys
from contextlib import contextmanager
from types import SimpleNamespace

import pytest

from benchmarks import chart, database, report, saving
from benchmarks.measures import Goal, Result, interleaved, median_pair
from benchmarks.setting import QUICK
from tests import databases


def result(value=60.0, goal=None, name="charges"):
    return Result(name=name, value=value, unit="charges/s", anchor="pgbench", anchor_value=100.0, goal=goal)


def test_a_quick_run_writes_its_results_and_leaves_a_proven_ledger(tmp_path):
    written = tmp_path / "results.json"
    command = [sys.executable, "-m", "benchmarks", "--quick", "--without-peer", "--only", "charges"]
    subprocess.run([*command, "--results", written], cwd=databases.REPOSITORY, check=True)
    rows = json.loads(written.read_text())
    assert [row["anchor"] for row in rows] == ["pgbench, 2 clients", "pgbench, 1 client"]
    for row in rows:
        assert set(row) == {"name", "value", "unit", "anchor", "anchor_value", "ratio", "goal", "holds"}
        assert row["value"] > 0 and row["anchor_value"] > 0
    assert (rows[0]["goal"], rows[1]["goal"]) == (">= 0.5", None)
    assert rows[0]["holds"] == (rows[0]["ratio"] >= 0.5)


def test_a_quick_run_audits_saves_into_a_chain_that_is_proven_and_takes_deliveries(tmp_path):
    written = tmp_path / "results.json"
    command = [sys.executable, "-m", "benchmarks", "--quick", "--without-peer", "--only", "saving", "webhooks"]
    subprocess.run([*command, "--results", written], cwd=databases.REPOSITORY, check=True)
    log, whole, deliveries = json.loads(written.read_text())
    assert (deliveries["unit"], deliveries["goal"]) == ("deliveries/s", None)
    assert deliveries["value"] > 0 and deliveries["anchor_value"] > 0
    assert (log["anchor"], log["goal"]) == ("the stock LogEntry, beyond the same", "<= 1")
    assert (whole["anchor"], whole["goal"]) == ("a save with the stock LogEntry", None)
    assert whole["value"] > 0 and whole["anchor_value"] > 0


@pytest.mark.parametrize(
    ("told", "words"),
    [({"entries": 40, "fault": "audit entry 7"}, "audit entry 7"), ({"entries": 39, "fault": ""}, "39 of 40 entries")],
)
def test_saves_that_left_no_sound_log_are_no_result(monkeypatch, told, words):
    class Process:
        def call(self, command, **arguments):
            return told if command == "proof" else {"bare": 1, "stock": 2, "ours": 3}

    @contextmanager
    def client(*_):
        yield Process()

    monkeypatch.setattr(saving, "client", client)
    idle = SimpleNamespace(environment={}, tidy=lambda: None)
    with pytest.raises(saving.LogBroken, match=words):
        list(saving.measure(SimpleNamespace(database=idle, size=QUICK)))


def test_a_quick_run_looks_at_companies_whose_ledgers_are_proven(tmp_path):
    written = tmp_path / "results.json"
    command = [sys.executable, "-m", "benchmarks", "--quick", "--without-peer", "--only", "customers"]
    done = subprocess.run(
        [*command, "--results", written], cwd=databases.REPOSITORY, check=False, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("  proof\n") == 2
    rows = {row["name"]: row for row in json.loads(written.read_text())}
    assert all(row["value"] > 0 and row["anchor_value"] > 0 and row["unit"] == "ms" for row in rows.values())
    assert rows["customers list, first page, p95"]["goal"] == "<= 1.5"
    assert rows["customers list, first page, p50"]["goal"] is None
    assert rows["customer page, 300 entries, p95"]["anchor"] == "the same with 100"
    assert {name for name in rows if "stock" in name} == {
        f"customers list, {what}, beside stock, p95"
        for what in ("first page", "sorted by spend", "page 1,000", "search: given name")
    }


def test_a_run_that_left_the_ledger_broken_is_no_result():
    with database.filled(accounts=3) as filled:
        filled.prove()
        with databases.owner_connection(filled.name) as connection:
            connection.execute(
                "UPDATE credits_creditaccount SET balance = balance + 1, lots_total = lots_total + 1"
                " WHERE user_id = (SELECT min(user_id) FROM credits_creditaccount)"
            )
        with pytest.raises(database.LedgerBroken, match="the balance is what remains in the lots"):
            filled.prove()


@pytest.mark.parametrize(
    ("goal", "ratio", "met", "margin"),
    [(Goal(0.5), 0.5, True, 1), (Goal(2), 1.0, False, 0.5), (Goal(1.5, at_most=True), 3.0, False, 0.5)],
)
def test_a_goal_is_a_least_or_a_greatest_ratio(goal, ratio, met, margin):
    assert (goal.is_met_by(ratio), goal.margin(ratio)) == (met, margin)


def test_each_round_measures_all_in_another_order():
    order = []
    figures = interleaved(
        [lambda: order.append("a") or 1, lambda: order.append("b") or 2], rounds=2, between=lambda: order.append("|")
    )
    assert "".join(order) == "|ab|ba"
    assert figures == [[1, 1], [2, 2]]


def test_the_round_of_the_median_ratio_is_shown():
    assert median_pair([10, 90, 30], [100, 100, 50]) == (30, 50)


def test_a_missed_goal_is_loud_and_a_row_without_one_is_not():
    rows = [
        result(goal=Goal(0.5)),
        result(value=10, goal=Goal(0.5), name="batches"),
        result(value=1, name="by the way"),
    ]
    assert report.verdict(rows) == "**GOAL MISSED: batches.**"
    assert report.verdict(rows[:1]) == "**Every goal is met.**"
    lines = report.table(rows).splitlines()
    assert lines[2] == "| charges | 60.0 charges/s | pgbench | 100 | 0.60 | >= 0.5 | met |"
    assert lines[3].endswith("| 0.10 | >= 0.5 | **MISSED** |")
    assert lines[4].endswith("| 0.01 |  | for information |")


def test_the_page_shows_table_chart_and_what_made_them(tmp_path):
    page = tmp_path / "benchmarks.md"
    report.write(
        [result(goal=Goal(0.5), name="a & b")],
        to=tmp_path / "results.json",
        command="make bench",
        machine={"PostgreSQL": "18.4"},
        page=page,
    )
    text = page.read_text()
    assert "with `make bench`" in text and "- PostgreSQL: 18.4" in text and "| a & b |" in text
    for theme, inks in (("light", chart.LIGHT), ("dark", chart.DARK)):
        assert f"images/benchmarks-{theme}.svg" in text
        drawn = (tmp_path / "images" / f"benchmarks-{theme}.svg").read_text()
        assert "a &amp; b" in drawn and inks.met in drawn and inks.missed not in drawn
