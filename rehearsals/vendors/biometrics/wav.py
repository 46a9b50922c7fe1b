"""What a caller says, as a WAV file: a tone for every speaker, with who said what in the file's own description.

A fake has no ears: it reads speaker and words from the comment (RIFF LIST/INFO/ICMT) that real tools leave alone.
The audio is as Twilio records it: one channel, 8 kHz, 16 bit.
"""

from __future__ import annotations

import io
import json
import math
import struct
import wave
import zlib
from dataclasses import dataclass

RATE = 8000
_CHARACTERS_A_SECOND = 14


@dataclass(frozen=True)
class Utterance:
    """Somebody (`speaker`, a name for a voice) says `words`. `take` tells one time of saying it from another."""

    speaker: str
    words: str
    take: str

    @property
    def seconds(self) -> float:
        """How long it takes to say, at least one second."""
        return max(1.0, len(self.words) / _CHARACTERS_A_SECOND)

    def to_wav(self) -> bytes:
        """Return the recording."""
        comment = json.dumps({"speaker": self.speaker, "words": self.words, "take": self.take}).encode()
        samples = b"".join(struct.pack("<h", value) for value in self._tone())
        sound = io.BytesIO()
        with wave.open(sound, "wb") as file:
            file.setnchannels(1)
            file.setsampwidth(2)
            file.setframerate(RATE)
            file.writeframes(samples)
        return _with_comment(sound.getvalue(), comment)

    def _tone(self) -> list[int]:
        pitch = 100 + zlib.crc32(self.speaker.encode()) % 150
        length = int(self.seconds * RATE)
        period = [int(9000 * math.sin(2 * math.pi * pitch * i / RATE)) for i in range(RATE)]
        return [period[i % RATE] for i in range(length)]

    @classmethod
    def of_wav(cls, recording: bytes) -> Utterance:
        """Read a recording; ValueError if it is no WAV file, or none of these."""
        try:
            with wave.open(io.BytesIO(recording), "rb") as file:
                file.readframes(file.getnframes())
        except (wave.Error, EOFError) as error:
            raise ValueError(f"it is no WAV file: {error}") from error
        comment = _chunk(recording, b"LIST")
        if not comment.startswith(b"INFOICMT"):
            raise ValueError("it says nowhere who speaks, so that no fake can tell")
        size = struct.unpack("<I", comment[8:12])[0]
        said = json.loads(comment[12 : 12 + size])
        return cls(said["speaker"], said["words"], said["take"])


def _with_comment(file: bytes, comment: bytes) -> bytes:
    info = b"INFOICMT" + struct.pack("<I", len(comment)) + comment + b"\0" * (len(comment) % 2)
    chunks = file[12:] + b"LIST" + struct.pack("<I", len(info)) + info
    return b"RIFF" + struct.pack("<I", len(chunks) + 4) + b"WAVE" + chunks


def _chunk(file: bytes, name: bytes) -> bytes:
    at = 12
    while at + 8 <= len(file):
        size = struct.unpack("<I", file[at + 4 : at + 8])[0]
        if file[at : at + 4] == name:
            return file[at + 8 : at + 8 + size]
        at += 8 + size + size % 2
    return b""
