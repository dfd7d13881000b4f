"""What reading takes of archives of any size: the tables of docs/scale.md, computed from what benchmarks/scale.py kept.

A table is its head and its rows, cells as text.
"""

import math

ARCHIVES = (10**7, 10**9, 10**11)
DAY = 86_400  # seconds: the nodes of the plan read an archive in one
NODE_CORES = 32
LARGEST_BLOCK = 1024  # pictures: of archives this large, as in digits/cluster/read.py
# What one of each does; an archive that asks for more within a day needs several, so it is read in parts.
LINK = 1.25e9  # bytes a second over 10 Gbit/s from the place where the pictures lie
FILES = 5_500  # opened a second: what one prefix of S3 answers at least; a laboratory's file server does no better
HELD = 64e9  # bytes that a node spares for the paths of what is done, when a run starts again
Table = tuple[list[str], list[list[str]]]


def measured(facts: dict) -> Table:
    """Return what was measured, and whether all rows were the plain loop's."""
    ray, loop, again = facts["ray"], facts["plain_loop"], facts["again"]
    speed = 1000 / loop["ms"], 1000 / facts["ms"]
    peaks = [max(run["peak_gb_by_quarter"]) for run in (again, ray)]
    equal = {True: "the same", False: "not the same"}
    drill = equal[facts["node_lost_and_driver_killed"]["rows_equal"]]
    return ["Measured", ""], [
        ["Command", f"`{facts['command']}`"],
        ["Machine", facts["device"]],
        ["Pictures", f"{facts['pictures']:,}, in blocks of {facts['block']:,}"],
        ["Bytes of a picture, read", f"{facts['bytes_a_picture']:,}"],
        ["Bytes of its row, written", f"{ray['bytes_a_row']:,}"],
        ["A picture in the plain loop, one core", f"{loop['ms']:.1f} ms, {speed[0]:,.0f} a second"],
        ["A picture with Ray, all processes", f"{facts['ms']:.1f} ms, {speed[1]:,.0f} a second and core"],
        ["Ray's share of that: overhead", f"{100 * facts['overhead']:+.1f} %"],
        ["A start: CPU time of all processes", f"{facts['start_cpu_seconds']:.0f} s"],
        ["A start: from the command to the end, when all is read", f"{again['seconds']:.0f} s"],
        ["Listing a picture", f"{facts['listing_us_a_picture']:.1f} µs"],
        ["The driver, a block of pictures", f"{facts['driver_ms_a_block']:.0f} ms"],
        ["Memory of all processes, at most, when nothing is left to read", f"{peaks[0]:.1f} GB"],
        ["Memory of all processes, at most, when all are read", f"{peaks[1]:.1f} GB"],
        ["Rows, compared with the plain loop's", equal[ray["rows_equal"]]],
        ["Rows after a node lost and the driver killed with -9", drill],
    ]  # fmt: skip


def plan(facts: dict) -> Table:
    """Return for each archive the time of one node, the nodes that read it in a day, and what gives way first."""
    rows = []
    for pictures in ARCHIVES:
        core_seconds = pictures * facts["ms"] / 1000
        bottleneck, parts = _parts(facts, pictures)
        rows.append([
            f"{pictures:,}", _time(core_seconds / NODE_CORES), f"{math.ceil(core_seconds / NODE_CORES / DAY):,}",
            _size(pictures * facts["bytes_a_picture"]), _size(pictures * facts["ray"]["bytes_a_row"]),
            _time(_driver_seconds(facts, pictures)), _size(pictures * facts["restart_bytes_a_picture"]),
            f"{pictures / DAY:,.0f}", bottleneck, f"{parts:,}",
        ])  # fmt: skip
    return ["Pictures", f"One node of {NODE_CORES} cores", "Nodes for one day", "Read", "Written", "Driver",
            "A restart holds", "Files opened a second", "Bottleneck", "Parts"], rows  # fmt: skip


def pays_from(facts: dict) -> int:
    """Return the number of pictures from which on Ray is sooner done than the plain loop on the cores measured."""
    gained = (facts["plain_loop"]["ms"] - facts["ms"] / facts["ray"]["cores"]) / 1000
    return math.ceil(facts["again"]["seconds"] / gained) if gained > 0 else 0


def _driver_seconds(facts: dict, pictures: int) -> float:
    """Return what the one process that hands out the work computes."""
    blocks = pictures / LARGEST_BLOCK * facts["driver_ms_a_block"] / 1000
    return blocks + pictures * facts["listing_us_a_picture"] / 1e6


def _parts(facts: dict, pictures: int) -> tuple[str, int]:
    """Return what limits an archive that is read in a day, and in how many parts it is no limit any more."""
    loads = {
        "opening files": pictures / DAY / FILES,
        "memory of a restart": pictures * facts["restart_bytes_a_picture"] / HELD,
        "the driver": _driver_seconds(facts, pictures) / DAY,
        "the network": pictures * facts["bytes_a_picture"] / DAY / LINK,
    }
    name, load = max(loads.items(), key=lambda item: item[1])
    return (name, math.ceil(load)) if load > 1 else ("the readers' cores", 1)


def _time(seconds: float) -> str:
    for unit, name in ((365 * DAY, "years"), (DAY, "days"), (3600, "hours"), (60, "minutes")):
        if seconds >= 2 * unit:
            return f"{seconds / unit:,.0f} {name}"
    return f"{seconds:.0f} s"


def _size(size: float) -> str:
    for unit, name in ((1e15, "PB"), (1e12, "TB"), (1e9, "GB"), (1e6, "MB")):
        if size >= unit:
            return f"{size / unit:,.1f} {name}"
    return f"{size:,.0f} bytes"
