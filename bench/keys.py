"""Keys are made of declarations only: never of code text or computed bytes."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any


def key_of(content: Mapping[str, Any]) -> str:
    """sha256 of canonical JSON."""
    return hashlib.sha256(json.dumps(content, sort_keys=True, separators=(",", ":")).encode()).hexdigest()
