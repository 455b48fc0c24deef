"""Music for those who wait: a quiet melody of our own, so that nobody's rights are touched."""

import io
import wave

import numpy as np

_RATE = 8000
_BEAT = 0.5
#: Steps above A3 of a pentatonic melody; None rests.
_MELODY = (
    0,
    4,
    7,
    12,
    9,
    7,
    4,
    None,
    2,
    4,
    7,
    9,
    7,
    4,
    2,
    None,
    0,
    7,
    12,
    16,
    14,
    12,
    9,
    None,
    7,
    9,
    12,
    7,
    4,
    2,
    0,
    None,
)
_BASE = 220.0


def hold_music() -> bytes:
    """A WAV file of about 32 seconds, 8 kHz, 16 bit, one channel; it can be played round and round."""
    step = int(_RATE * _BEAT)
    notes = [*_MELODY, *_MELODY]
    sound = np.zeros(step * (len(notes) + 2))
    time = np.arange(step * 2) / _RATE
    for number, note in enumerate(notes):
        if note is None:
            continue
        pitch = _BASE * 2 ** (note / 12)
        # A plucked string: harmonics that fade, the higher the sooner.
        tone = sum(np.sin(2 * np.pi * pitch * k * time) * np.exp(-time * 3 * k) / k for k in (1, 2, 3))
        sound[number * step : (number + 2) * step] += tone * np.minimum(1, time / 0.01)
    whole = sound[: step * len(notes)]
    whole[: 2 * step] += sound[step * len(notes) :]
    result = io.BytesIO()
    with wave.open(result, "wb") as target:
        target.setnchannels(1)
        target.setsampwidth(2)
        target.setframerate(_RATE)
        target.writeframes((whole / np.abs(whole).max() * 6000).astype("<i2").tobytes())
    return result.getvalue()
