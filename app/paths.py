"""Where the files that are not Python lie: the page templates, the static files, the bundled models, the lessons.

In a checkout they are folders beside `app/`; the build hook puts them into the wheel as `transformer_atlas/_data/`.
"""

from pathlib import Path

PACKAGE = Path(__file__).resolve().parent
CHECKOUT = PACKAGE.parent
IN_CHECKOUT = (CHECKOUT / "hatch_build.py").is_file()

_data = CHECKOUT if IN_CHECKOUT else PACKAGE / "_data"

TEMPLATES = _data / "templates"
STATIC = _data / "static"
MODELS = _data / "models"
LESSONS = _data / "lessons"
# Vite's list of entry -> hashed file, which the pages read to name their scripts and styles.
MANIFEST = STATIC / "dist" / ".vite" / "manifest.json"
