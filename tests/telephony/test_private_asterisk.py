"""Where the private Asterisk's packages come from."""

from pathlib import Path

import pytest

from telephony.asterisk.private import AsteriskUnavailableError, debian_mirrors


def _apt(folder: Path, files: dict[str, str]) -> Path:
    (folder / "sources.list.d").mkdir()
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8")
    return folder


def test_other_vendors_archives_and_security_are_not_taken_for_debians(tmp_path: Path) -> None:
    """A fixed bug: the first file that the folder listed won, and it was another vendor's."""
    etc = _apt(
        tmp_path,
        {
            "sources.list.d/a-vendor.sources": "Types: deb\nURIs: https://vendor.example/node_20.x\nSuites: nodistro\n",
            "sources.list.d/b-cloud.list": "deb [signed-by=/k.gpg] https://cloud.example/apt cloud-sdk main\n",
            "sources.list.d/debian.sources": (
                "URIs: http://mirror.example/debian-security\n\nURIs: http://mirror.example/debian\n"
            ),
            "sources.list.d/debian.sources.bak": "URIs: http://old.example/debian\n",
            "sources.list": (
                "# deb http://off.example/debian sid main\ndeb [arch=amd64] http://second.example/debian/ sid main\n"
            ),
        },
    )
    assert debian_mirrors(etc) == ["http://mirror.example/debian", "http://second.example/debian/"]


def test_no_mirror_is_said_with_its_mend(tmp_path: Path) -> None:
    etc = _apt(tmp_path, {"sources.list.d/a.sources": "URIs: https://vendor.example/apt\n"})
    with pytest.raises(AsteriskUnavailableError, match="no mirror of Debian"):
        debian_mirrors(etc)
