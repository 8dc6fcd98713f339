"""A real headless Chromium, spoken to over its own DevTools protocol: nothing to install but the browser.

Commands go through two pipes (`--remote-debugging-pipe`), each message ended by a zero byte.
"""

import base64
import contextlib
import json
import os
import shutil
import subprocess
import tempfile
import time
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from select import select
from typing import Any

PATIENCE_SECONDS = 30
# The browser writes to descriptor 4 and reads from 3.
BROWSER_READS, BROWSER_WRITES = 3, 4


def find_chromium() -> str | None:
    """The browser of this machine, or None."""
    names = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
    return next((path for name in names if (path := shutil.which(name))), None)


class Page:
    """One tab, and what happened in it since the last `open`: requests, errors, messages of the console."""

    def __init__(self, process: "subprocess.Popen[bytes]", reading: int, writing: int) -> None:
        self._process, self._reading, self._writing = process, reading, writing
        self._last = 0
        self._rest = b""
        self._messages: deque[dict[str, Any]] = deque()
        self.requests: list[str] = []
        self.problems: list[str] = []
        self._loaded = False
        target = self._call("Target.createTarget", {"url": "about:blank"}, session=None)["targetId"]
        self._session = self._call("Target.attachToTarget", {"targetId": target, "flatten": True}, session=None)["sessionId"]
        for domain in ("Page", "Runtime", "Network", "Log"):
            self.call(f"{domain}.enable")

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Run one command of the protocol in this tab."""
        return self._call(method, parameters, self._session)

    def look(self, width: int, height: int = 900, *, dark: bool = False) -> None:
        """The size of the window and the colours the device asks for."""
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=width < 600)
        self.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}])

    def open(self, path: Path, state: str = "") -> float:
        """Open a file at a state of its address; returns the seconds until it was loaded and its charts were drawn."""
        self._navigate("about:blank")
        self.requests, self.problems = [], []
        started = time.monotonic()
        self._navigate(f"{path.resolve().as_uri()}#{state}")
        self.settle()
        return time.monotonic() - started

    def _navigate(self, url: str) -> None:
        self._loaded = False
        self.call("Page.navigate", url=url)
        while not self._loaded:
            self._note(self._receive())

    def go(self, state: str) -> None:
        """Change the address, as a link in the page does."""
        self.run(f"location.hash = {json.dumps(state)}; null")
        self.settle()

    def settle(self) -> None:
        """Wait until what was asked for is drawn."""
        self.run("new Promise((done) => setTimeout(() => requestAnimationFrame(() => requestAnimationFrame(() => done(null))), 0))")

    def run(self, script: str) -> Any:
        """The value of an expression in the page; promises are waited for."""
        answer = self.call("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in answer:
            raise AssertionError(answer["exceptionDetails"].get("exception", {}).get("description", answer["exceptionDetails"]["text"]))
        return answer["result"].get("value")

    def screenshot(self, path: Path) -> None:
        """The whole page as a PNG file."""
        size = self.call("Page.getLayoutMetrics")["cssContentSize"]
        clip = {"x": 0, "y": 0, "width": size["width"], "height": min(size["height"], 6000), "scale": 1}
        shot = self.call("Page.captureScreenshot", format="png", captureBeyondViewport=True, clip=clip)
        path.write_bytes(base64.b64decode(shot["data"]))

    def _call(self, method: str, parameters: dict[str, Any], session: str | None) -> dict[str, Any]:
        self._last += 1
        number = self._last
        message = {"id": number, "method": method, "params": parameters} | ({"sessionId": session} if session else {})
        pending = json.dumps(message).encode() + b"\0"
        while pending:
            pending = pending[os.write(self._writing, pending) :]
        while True:
            answer = self._receive()
            if answer.get("id") == number:
                if "error" in answer:
                    raise AssertionError(f"{method}: {answer['error']['message']}")
                result: dict[str, Any] = answer["result"]
                return result
            self._note(answer)

    def _note(self, event: dict[str, Any]) -> None:
        details = event.get("params", {})
        match event.get("method"):
            case "Page.loadEventFired":
                self._loaded = True
            case "Network.requestWillBeSent":
                self.requests.append(details["request"]["url"])
            case "Runtime.exceptionThrown":
                self.problems.append(details["exceptionDetails"].get("exception", {}).get("description", "exception"))
            case "Runtime.consoleAPICalled":
                self.problems.append(f"console.{details['type']}: {[value.get('value') for value in details['args']]}")
            case "Log.entryAdded":
                self.problems.append(f"{details['entry']['level']}: {details['entry']['text']}")

    def _receive(self) -> dict[str, Any]:
        while not self._messages:
            ready, _, _ = select([self._reading], [], [], PATIENCE_SECONDS)
            chunk = os.read(self._reading, 1 << 20) if ready else b""
            if not chunk:
                raise AssertionError(f"the browser said nothing for {PATIENCE_SECONDS} s, or has ended ({self._process.poll()})")
            *whole, self._rest = (self._rest + chunk).split(b"\0")
            self._messages.extend(json.loads(message) for message in whole)
        return self._messages.popleft()


@contextlib.contextmanager
def browser(chromium: str) -> Iterator[Page]:
    """A browser with one tab, for as long as the context lasts."""
    to_browser, writing = os.pipe()
    reading, from_browser = os.pipe()
    # Moved out of the way of the numbers that the browser expects.
    to_browser_high, from_browser_high = os.dup(to_browser), os.dup(from_browser)
    with tempfile.TemporaryDirectory(prefix="segments_browser_", ignore_cleanup_errors=True) as profile:

        def wire() -> None:
            os.dup2(to_browser_high, BROWSER_READS)
            os.dup2(from_browser_high, BROWSER_WRITES)

        options = ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run", "--hide-scrollbars"]
        quiet = ["--disable-background-networking", "--disable-component-update", "--disable-sync", "--lang=en-GB"]
        process = subprocess.Popen(
            [chromium, *options, *quiet, "--remote-debugging-pipe", f"--user-data-dir={profile}"],
            preexec_fn=wire,
            pass_fds=(BROWSER_READS, BROWSER_WRITES, to_browser_high, from_browser_high),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        for descriptor in {to_browser, from_browser, to_browser_high, from_browser_high}:
            os.close(descriptor)
        try:
            yield Page(process, reading, writing)
        finally:
            process.terminate()
            try:
                process.wait(timeout=10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            os.close(reading)
            os.close(writing)
