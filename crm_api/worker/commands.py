"""`crm worker`: what must happen without anybody asking."""

import json
import signal
from dataclasses import asdict
from threading import Event, Thread
from types import FrameType

import click


@click.command()
@click.option("--once", is_flag=True, help="One round, then end.")
@click.option("--interval", default=1.0, show_default=True, help="Seconds between rounds.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object for each round that did something.")
def worker(once: bool, interval: float, as_json: bool) -> None:
    """Escalate, resume what was paused, recompute after new rules, send webhooks, build lists. Safe to run twice."""
    from core.database import make_engine
    from crm_api.store import require_ready
    from crm_api.web import background
    from crm_api.web.settings import get_web_settings
    from crm_api.worker import plugs
    from crm_api.worker.loop import Done, work, work_round

    engine = make_engine()
    require_ready(engine)

    def report(done: Done) -> None:
        told = {name: value for name, value in asdict(done).items() if value != ""}
        click.echo(json.dumps(told) if as_json else ", ".join(f"{name} {count}" for name, count in told.items()))

    if once:
        report(work_round(engine))
        background.work_round(engine, get_web_settings())
        plugs.work_jobs(engine)
        return
    stop = Event()

    def end(_number: int, _frame: FrameType | None) -> None:
        stop.set()

    signal.signal(signal.SIGTERM, end)
    signal.signal(signal.SIGINT, end)
    click.echo("The worker runs; Ctrl-C ends it.", err=True)
    beside = [
        Thread(target=background.work, args=(engine, get_web_settings(), stop)),
        Thread(target=plugs.work, args=(engine, stop)),
    ]
    for thread in beside:
        thread.start()
    try:
        work(engine, interval=interval, stop=stop, report=report)
    finally:
        stop.set()
        for thread in beside:
            thread.join()
