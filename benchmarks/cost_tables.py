"""Tables of absolute figures: times, memory, throughput. They hold on the named machine alone."""

from __future__ import annotations

from benchmarks.cells import MISSING, NONE, Cell, Table, maybe, named
from benchmarks.plots import elsewhere
from benchmarks.records import BUNDLE, Cost, Energy, Rate, Result
from benchmarks.report import Report
from benchmarks.words import megabytes, number


def latency(report: Report) -> Table:
    """Absolute times and memory."""
    plan = report.settings
    turn = f" and {plan.turn_s:g} s" if plan.turn_s else ""
    caption = (
        f"Milliseconds for one face, from its bytes to seven scores, on {report.place}. "
        f"{plan.rounds} rounds of {plan.queries} inferences{turn} or more, all models in each "
        "round, in an order drawn anew."
    )
    header = (
        "Model", "p50", "p90", "p99", "Max", "Mean", "First", "Load", "Peak memory",
        "Steady memory", "Energy a face", "Timed",
    )  # fmt: skip
    rows = tuple((_where(r, report), *_cells(r.cost, r.energy)) for r in report.results)
    return Table("Latency, memory and energy", caption, header, rows)


def _where(result: Result, report: Report) -> Cell:
    return named(result, "another machine" if elsewhere(result, report.results) else "")


def _cells(cost: Cost | None, energy: Energy | None) -> tuple[Cell, ...]:
    if cost is None:
        return (MISSING,) * 11
    spent = (cost.p50_ms, cost.p90_ms, cost.p99_ms, cost.most_ms)
    return (
        *(Cell(number(ms)) for ms in spent),
        Cell(number(cost.mean_ms), f"± {number(cost.deviation_ms)}"),
        Cell(number(cost.first_ms)),
        Cell(number(cost.load_ms)),
        Cell(megabytes(cost.peak_rss_bytes)),
        maybe(cost.steady_rss_bytes, megabytes),
        _energy(energy),
        Cell(f"{cost.count:,}", f"{cost.timed_s:.0f} s"),
    )


def _energy(energy: Energy | None) -> Cell:
    if energy is None:
        return MISSING
    return Cell(f"{number(1000 * energy.joules_per_face)} mJ", f"{number(energy.watts)} W")


def rates(report: Report) -> Table | None:
    """Faces a second by threads and by batch; None where it was not measured."""
    known = [rate for result in report.results for rate in result.rates]
    if not known:
        return None
    pairs = sorted({(rate.batch, rate.threads) for rate in known})
    header = ("Model", *(_pair(threads, batch) for batch, threads in pairs))
    caption = (
        f"Faces a second on {report.place}, one request after the other, and the median time of a "
        "request in milliseconds. Bundles run a batch face by face."
    )
    rows = tuple(
        (named(r), *(_rate(r, threads, batch) for batch, threads in pairs))
        for r in report.results
        if r.role == BUNDLE
    )
    return Table("Throughput", caption, header, rows)


def _pair(threads: int, batch: int) -> str:
    said = f"{threads} thread{'s' if threads > 1 else ''}"
    return said if batch == 1 else f"{said}, batch {batch}"


def _rate(result: Result, threads: int, batch: int) -> Cell:
    def fits(rate: Rate) -> bool:
        return (rate.threads, rate.batch) == (threads, batch)

    found = next(filter(fits, result.rates), None)
    if found is None:
        return MISSING if result.failed else NONE
    return Cell(number(found.faces_per_s), f"{number(found.request_ms)} ms")
