"""A page in headless Chromium: what a script finds in it, and the errors on the console."""

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest

NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
REPORT = """<script>
addEventListener("load", async () => {{
  const found = await (async () => {{ {script} }})();
  const box = document.createElement("pre");
  box.id = "found";
  box.textContent = "FOUND " + encodeURIComponent(JSON.stringify(found)) + " END";
  document.body.append(box);
}});
</script></body>"""


def run_in_browser(page: str, script: str, folder: Path, *, width: int = 1280) -> Any:
    """Return what ``script``, the body of an async function, returns in the page.

    Fails where the console has an error; skips where no Chromium is installed.
    """
    program = next(filter(None, map(shutil.which, NAMES)), None)
    if program is None:
        pytest.skip(f"no Chromium is installed ({', '.join(NAMES)})")
    file = folder / "in_browser.html"
    assert page.count("</body>") == 1
    file.write_text(page.replace("</body>", REPORT.format(script=script)), "utf-8")
    options = ["--headless", "--no-sandbox", "--disable-gpu", "--enable-logging=stderr"]
    options += [f"--user-data-dir={folder / 'profile'}", f"--window-size={width},900"]
    command = [program, *options, "--virtual-time-budget=5000", "--dump-dom", file.as_uri()]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    console = [line for line in done.stderr.splitlines() if "CONSOLE" in line]
    assert not console, "\n".join(console)
    found = re.search("FOUND (.*?) END", done.stdout.rpartition("<pre")[2])
    assert found, done.stdout[-2000:] + done.stderr[-2000:]
    return json.loads(unquote(found[1]))
