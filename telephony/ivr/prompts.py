"""What the IVR says, as sound files: recorded ones if there are any, else spoken by espeak-ng."""

import hashlib
import json
import shutil
import subprocess
import wave
from collections.abc import Iterator
from functools import lru_cache
from io import BytesIO
from pathlib import Path

import numpy as np
import yaml

from core.errors import ConfigurationError
from core.files import write_atomically
from telephony.ivr.music import hold_music
from telephony.ivr.numbers import WORDS

PROMPTS_FILE = Path(__file__).with_name("prompts.yml")
_VOICES = {"zh": "cmn", "en": "en-us"}
_RATE = 8000
#: Raise it when the way of speaking changes: every prompt is then spoken anew.
_VERSION = 1


@lru_cache
def texts() -> dict[str, dict[str, str]]:
    """Language -> prompt -> text, numbers included."""
    content = yaml.safe_load(PROMPTS_FILE.read_text(encoding="utf-8"))
    return {
        language: {name: str(said[language]) for name, said in content.items()} | WORDS[language]
        for language in _VOICES
    }


@lru_cache
def prompt_names() -> frozenset[str]:
    """Names of the prompts that every language has."""
    return frozenset.intersection(*(frozenset(said) for said in texts().values()))


def _narrow(content: bytes) -> bytes:
    """A WAV file at the telephone's 8 kHz: what lies above its band is taken away first."""
    with wave.open(BytesIO(content)) as source:
        rate = source.getframerate()
        sound = np.frombuffer(source.readframes(source.getnframes()), dtype="<i2").astype(np.float64)
    taps = np.arange(-32, 33)
    low_pass = np.sinc(taps * 2 * 3600 / rate) * np.hamming(taps.size)
    filtered = np.convolve(sound, low_pass / low_pass.sum(), mode="same") if sound.size else sound
    at = np.arange(0, max(sound.size - 1, 0), rate / _RATE)
    narrowed = np.interp(at, np.arange(sound.size), filtered) if sound.size else filtered
    result = BytesIO()
    with wave.open(result, "wb") as target:
        target.setnchannels(1)
        target.setsampwidth(2)
        target.setframerate(_RATE)
        target.writeframes(np.clip(narrowed, -32768, 32767).astype("<i2").tobytes())
    return result.getvalue()


def speak(text: str, language: str) -> bytes:
    """A text as a WAV file of 8 kHz, 16 bit, one channel.

    Raises:
        ConfigurationError: espeak-ng is not installed.
    """
    program = shutil.which("espeak-ng")
    if program is None:
        raise ConfigurationError("espeak-ng is not installed.", "Install the package espeak-ng, or record the prompts.")
    done = subprocess.run(  # noqa: S603 - a fixed program, our own texts
        [program, "-v", _VOICES[language], "-s", "165", "--stdout", text], capture_output=True, check=True, timeout=60
    )
    return _narrow(_whole_header(done.stdout))


def _whole_header(content: bytes) -> bytes:
    """espeak-ng does not know its length when it writes to a pipe: the sizes of the header are put right."""
    data = content.find(b"data")
    size = len(content) - data - 8
    return (
        content[:4]
        + (len(content) - 8).to_bytes(4, "little")
        + content[8 : data + 4]
        + size.to_bytes(4, "little")
        + content[data + 8 :]
    )


def _wanted(folder: Path, recorded: Path | None) -> Iterator[tuple[Path, Path | None, str, str]]:
    for language, said in texts().items():
        for name, text in said.items():
            own = recorded / language / f"{name}.wav" if recorded else None
            yield folder / language / f"{name}.wav", own if own and own.is_file() else None, language, text


def provide(folder: Path, *, recorded: Path | None = None, cache: Path | None = None) -> int:
    """Put every prompt into `folder`/<language>/<name>.wav; what is there and right is left. The number written.

    Music for those who wait is put beside them, unless a file `music/hold.wav` is there.

    Args:
        recorded: folder of recorded prompts, laid out the same; they win.
        cache: folder in which spoken prompts are kept by their text.

    Raises:
        ConfigurationError: a prompt must be spoken and espeak-ng is missing.
    """
    written = 0
    stamps_file = folder / "stamps.json"
    stamps: dict[str, str] = json.loads(stamps_file.read_text()) if stamps_file.exists() else {}
    for path, own, language, text in _wanted(folder, recorded):
        mark = hashlib.sha256(f"{_VERSION}|{language}|{text}".encode()).hexdigest()
        key = f"{language}/{path.name}"
        content = own.read_bytes() if own else None
        if content is not None:
            mark = hashlib.sha256(content).hexdigest()
        if path.exists() and stamps.get(key) == mark:
            continue
        kept = cache / f"{mark}.wav" if cache else None
        if content is None:
            content = kept.read_bytes() if kept and kept.exists() else speak(text, language)
        if kept and not kept.exists():
            write_atomically(kept, content)
        # Not each with a sync of its own: a prompt that a power cut left half is not in the stamps.
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        stamps[key] = mark
        written += 1
    music = folder / "music" / "hold.wav"
    if not music.exists():
        write_atomically(music, hold_music())
    if written:
        write_atomically(stamps_file, json.dumps(stamps))
    return written
