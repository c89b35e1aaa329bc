"""A headless Chromium, spoken to over a pipe: what a page does, says and asks for."""

import base64
import fcntl
import json
import os
import select
import subprocess
import tempfile
import time
from pathlib import Path

#: Seconds that the browser has for anything; a loaded machine takes its time.
PATIENCE = 60.0


class Browser:
    """One process and one tab; `console`, `requests` and `violations` collect what the open page did."""

    def __init__(self, program: str) -> None:
        self.scratch = tempfile.TemporaryDirectory(prefix="csat-browser-", ignore_cleanup_errors=True)
        to_browser, self._out = os.pipe()
        self._in, from_browser = os.pipe()
        # High numbers, so that neither is 3 or 4 itself: there the browser reads commands and writes answers.
        commands, answers = (fcntl.fcntl(end, fcntl.F_DUPFD, 200) for end in (to_browser, from_browser))
        flags = ["--headless", "--disable-gpu", "--hide-scrollbars", "--no-first-run", "--disable-dev-shm-usage",
                 "--remote-debugging-pipe", f"--user-data-dir={self.scratch.name}"]  # fmt: skip
        if os.geteuid() == 0:
            flags.append("--no-sandbox")
        self.process = subprocess.Popen(
            ["bash", "-c", f'exec 3<&{commands} 4>&{answers}; exec "$0" "$@"', program, *flags, "about:blank"],
            pass_fds=(commands, answers), stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
        )  # fmt: skip
        for end in (to_browser, from_browser, commands, answers):
            os.close(end)
        self._buffer, self._last, self._events = b"", 0, []
        self.console: list[str] = []
        self.requests: list[str] = []
        target = self.ask("Target.createTarget", url="about:blank", session=None)["targetId"]
        self.session = self.ask("Target.attachToTarget", targetId=target, flatten=True, session=None)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network", "Audits"):
            self.ask(f"{domain}.enable")

    def close(self) -> None:
        self.process.terminate()
        self.process.wait(PATIENCE)
        os.close(self._in)
        os.close(self._out)
        self.scratch.cleanup()

    def ask(self, method: str, *, session: str | None = "", **params):
        """Send a command and wait for its answer."""
        self._last += 1
        message = {"id": self._last, "method": method, "params": params}
        if session is not None:
            message["sessionId"] = session or self.session
        os.write(self._out, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._read()
            if answer.get("id") == message["id"]:
                if "error" in answer:
                    raise RuntimeError(f"{method}: {answer['error']}")
                return answer["result"]
            self._note(answer)

    def wait_for(self, event: str) -> None:
        while event not in self._events:
            self._note(self._read())

    def _read(self) -> dict:
        until = time.monotonic() + PATIENCE
        while b"\0" not in self._buffer:
            ready, _, _ = select.select([self._in], [], [], max(0.0, until - time.monotonic()))
            found = os.read(self._in, 1 << 20) if ready else b""
            if not found:
                raise TimeoutError("the browser says nothing")
            self._buffer += found
        text, _, self._buffer = self._buffer.partition(b"\0")
        return json.loads(text)

    def _note(self, event: dict) -> None:
        name, params = event.get("method", ""), event.get("params", {})
        self._events.append(name)
        if name == "Runtime.exceptionThrown":
            self.console.append(json.dumps(params["exceptionDetails"])[:500])
        elif name == "Runtime.consoleAPICalled":
            self.console.append(" ".join(str(one.get("value")) for one in params["args"]))
        elif name == "Log.entryAdded":
            self.console.append(params["entry"]["text"])
        elif name == "Audits.issueAdded":
            self.console.append(params["issue"]["code"])
        elif name == "Network.requestWillBeSent":
            self.requests.append(params["request"]["url"])

    def open(self, page: Path, *, width: int = 1280, height: int = 900, scripts: bool = True, **emulated: str) -> None:
        """Load a page in a window of this size; `emulated`: media="print", scheme="dark"."""
        self._events.clear()
        self.console.clear()
        self.requests.clear()
        self.ask("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)
        self.emulate(**emulated)
        self.ask("Emulation.setScriptExecutionDisabled", value=not scripts)
        self.ask("Page.navigate", url=page.as_uri())
        self.wait_for("Page.loadEventFired")
        if scripts:
            self.run("new Promise((done) => requestAnimationFrame(() => setTimeout(done)))")

    def emulate(self, media: str = "", scheme: str = "light") -> None:
        features = [{"name": "prefers-color-scheme", "value": scheme}]
        self.ask("Emulation.setEmulatedMedia", media=media, features=features)

    def run(self, script: str):
        """Value of a JavaScript expression in the page."""
        found = self.ask("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in found:
            raise RuntimeError(json.dumps(found["exceptionDetails"])[:800])
        return found["result"].get("value")

    def press(self, key: str, code: int) -> None:
        for kind in ("keyDown", "keyUp"):
            text = {"text": "\r"} if key == "Enter" and kind == "keyDown" else {}
            self.ask("Input.dispatchKeyEvent", type=kind, key=key, code=key, windowsVirtualKeyCode=code, **text)

    def pdf(self) -> bytes:
        found = self.ask("Page.printToPDF", preferCSSPageSize=True, printBackground=True)
        return base64.b64decode(found["data"])

    def picture(self, *, whole: bool = False) -> bytes:
        found = self.ask("Page.captureScreenshot", format="png", captureBeyondViewport=whole)
        return base64.b64decode(found["data"])

    def __enter__(self) -> "Browser":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
