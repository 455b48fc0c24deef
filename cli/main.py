"""`crm`: finds a subcommand's module only when it is called, so that `crm --help` loads nothing heavy."""

import sys
from importlib import import_module

import click

from core.errors import CrmError

#: command -> (module:object, one line for `crm --help`)
COMMANDS: dict[str, tuple[str, str]] = {
    "init": ("crm_api.commands:init", "Create or upgrade the operational store; load reference data."),
    "worker": (
        "cli.worker:worker",
        "Escalate, resume paused tickets, recompute promises, build call lists; safe to run twice.",
    ),
    "api": ("cli.api:api", "Serve the API and the capture frontend."),
    "users": ("crm_api.identity.commands:users", "Who may sign in: list, add, reset a password, the demo's people."),
    "simulate": ("simulator.commands:simulate", "Fill the operational store (or the lake) with a province in motion."),
    "import": ("ingestion.commands:import_", "Bring foreign history in: calls or tickets from CSV or XLSX."),
    "ingest": ("ingestion.commands:ingest", "Operational store to lake."),
    "build": ("warehouse.commands:build", "Lake to marts (dbt)."),
    "publish": ("cli.publish:publish", "Gate the marts and publish them; --rollback repoints, --release lets pass."),
    "quarantine": ("warehouse.commands:quarantine", "Rows of the lake that a gate set aside, each with its reason."),
    "pipeline": ("cli.pipeline:pipeline", "ingest, build and publish in order."),
    "kpi": ("warehouse.commands:kpi", "Figures of the KPI dictionary from the published marts."),
    "call-list": (
        "cli.call_lists:call_list",
        "Call lists of campaigns: build, show, export, import what came of calls.",
    ),
    "report": ("cli.report:report", "KPI reports of a day, week or month; --send mails them to their subscribers."),
    "train": ("ml.commands:train", "Learn the models from the marts; judge, register, promote."),
    "score": ("ml.commands:score", "Score every customer; into lake, marts and store."),
    "models": ("ml.commands:models", "The models: list, card, compare, promote."),
    "segments": ("ml.commands:segments", "The segments in use: size, difference, what to do."),
    "forecast": ("ml.commands:forecast", "Calls per queue and half-hour for five weeks, and seats needed."),
    "staff": ("ml.commands:staff", "Staffing of the last forecast, what-if included."),
    "backup": ("cli.backup:backup_command", "The whole installation as one file."),
    "restore": ("cli.backup:restore_command", "An installation from such a file; --drill only tries it."),
    "maintain": ("cli.maintain:maintain_command", "Compact the lake, forget what is past its days, prune; weekly."),
    "telephony": ("telephony.commands:telephony", "Asterisk: install, configure, read its logs."),
    "dashboards": ("dashboards.commands:dashboards", "Serve the analysts' pages."),
    "demo": ("cli.demo:demo", "A small province, the whole pipeline, the pages; Ctrl-C ends it."),
    "doctor": ("cli.doctor:doctor", "What is installed, reachable, configured, stale; each problem with its mend."),
}


class LazyGroup(click.Group):
    """A group whose subcommands are imported when they are called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Names in the order of the table."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the command's module; None if the name is unknown."""
        if cmd_name not in COMMANDS:
            return None
        module, _, name = COMMANDS[cmd_name][0].partition(":")
        command: click.Command = getattr(import_module(module), name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands from the table, importing none of them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, (_, line) in COMMANDS.items()])


@click.command(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="broadcast-crm")
def crm() -> None:
    """The customer platform of a broadcast network. Everything a run writes lies under CRM_HOME (default ./var)."""


def main() -> None:
    """Entry point: our own errors are told in words and set the exit status; others keep their traceback."""
    try:
        crm()
    except CrmError as error:
        click.echo(f"crm: {error}", err=True)
        sys.exit(error.exit_code)


if __name__ == "__main__":
    main()
