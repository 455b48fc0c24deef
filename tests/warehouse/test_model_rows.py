"""What the models wrote into the lake is read whatever version of the programs wrote it."""

import json
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from core.settings import Settings
from tests.warehouse.centre import busy
from tests.warehouse.lake import Rows, write_load
from tests.warehouse.quick import quick_build


def test_versions_of_before_a_column_was_there_are_read_and_say_their_reason_in_its_own_words(
    tmp_path: Path, reference: dict[str, Rows]
) -> None:
    settings = Settings(home=tmp_path / "home")
    written = {
        "churn": {"promoted_because": "试用"},
        "volume": {"promoted_because": "首个优于基线的版本", "promoted_because_en": "First version"},
    }
    files = []
    for model, reasons in written.items():
        path = settings.lake / "ml_model_versions" / f"{model}.parquet"
        path.parent.mkdir(parents=True, exist_ok=True)
        texts = ("version", "trained_at", "learnt_to", "promoted_by", "promoted_at", "metrics", "card_zh", "card_en")
        row = dict.fromkeys(texts, "x") | {"model": model, "is_champion": True, "beats_baseline": True, "drift": 0.1}
        pq.write_table(pa.Table.from_pylist([row | reasons]), path)
        files.append({"table": "model_versions", "part": model, "path": str(path.relative_to(settings.lake))})
        if model == "churn":
            write_ledger(settings, "1", files)
            write_load(settings.lake, busy(reference).rows)
            quick_build(settings, "dim_model")
            assert reasons_told(settings) == [("churn", "试用", "试用")]
    write_ledger(settings, "2", files)
    quick_build(settings, "dim_model", full_refresh=True)
    assert reasons_told(settings) == [("churn", "试用", "试用"), ("volume", "首个优于基线的版本", "First version")]


def write_ledger(settings: Settings, load: str, files: list[dict[str, str]]) -> None:
    """The entry that makes files of models exist for readers (ml/lake.py)."""
    entry = settings.lake / "_ml_ledger" / f"{load}.json"
    entry.parent.mkdir(exist_ok=True)
    entry.write_text(json.dumps({"load_id": load, "written_at": "2026-03-03T00:00:00+00:00", "files": files}))


def reasons_told(settings: Settings) -> list[tuple[str, ...]]:
    """Each model's reason of promotion in both languages."""
    query = "select model, promoted_because_zh, promoted_because_en from marts.dim_model order by model"
    with duckdb.connect(str(settings.warehouse_file), read_only=True) as connection:
        return connection.execute(query).fetchall()
