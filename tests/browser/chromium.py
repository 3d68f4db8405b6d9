"""A headless Chromium, driven over its DevTools protocol: as much of it as the tests need."""

import asyncio
import base64
import itertools
import json
import shutil
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

PROGRAMS = ("chromium", "chromium-browser", "google-chrome")
# It talks to nobody but the page under test, and runs as root in a container too.
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--no-default-browser-check",
    "--remote-debugging-port=0",
)
SECONDS = 60.0

# Where the middle of an element is, once it has been there for two frames and nothing covers it;
# a slow machine still moves things when a fast one has long finished.
RESTING_MIDDLE = """(async selector => {
    const frame = () => new Promise(resolve => requestAnimationFrame(resolve));
    const middle = () => {
        const box = document.querySelector(selector)?.getBoundingClientRect();
        return box?.width && box.height ? [box.x + box.width / 2, box.y + box.height / 2] : null;
    };
    const first = middle();
    for (let frames = 0; frames < 2; frames++) {
        await frame();
        const now = middle();
        if (!first || !now || now[0] !== first[0] || now[1] !== first[1]) return null;
    }
    const top = document.elementFromPoint(...first);
    return document.querySelector(selector).contains(top) ? first : null;
})(%s)"""

Event = dict[str, Any]
Listener = Callable[[str, Event], None]
Process = subprocess.Popen[bytes]


def program() -> str | None:
    """Where this machine has a Chromium, if it has one."""
    return next(filter(None, map(shutil.which, PROGRAMS)), None)


class Page:
    """A tab of its own, without anything another tab has stored."""

    def __init__(self, call: Callable[..., Awaitable[Event]]) -> None:
        self._call = call
        self.requests: list[str] = []  # every address the page asked
        self.messages: list[str] = []  # what it wrote to the console, its errors among them

    async def open(self, address: str) -> None:
        await self._call("Page.navigate", url=address)

    async def resize(self, width: int, height: int, *, mobile: bool = False) -> None:
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": mobile}
        await self._call("Emulation.setDeviceMetricsOverride", **size)

    async def evaluate(self, expression: str) -> Any:
        answer = await self._call(
            "Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True
        )
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

    async def until(self, expression: str) -> Any:
        """The value of the expression, as soon as it is a true one."""
        async with asyncio.timeout(SECONDS):
            while not (value := await self.evaluate(expression)):  # noqa: ASYNC110
                await asyncio.sleep(0.05)
        return value

    async def text(self, selector: str) -> str:
        """What an element says, once it is there and says something."""
        return str(await self.until(f"document.querySelector({selector!r})?.textContent"))

    async def click(self, selector: str) -> None:
        """Click where the element is, as a person does: what covers it would get the click."""
        x, y = await self.until(RESTING_MIDDLE % json.dumps(selector))
        for kind in ("mousePressed", "mouseReleased"):
            await self._call(
                "Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", clickCount=1
            )

    async def type(self, text: str) -> None:
        """Type into what has the focus."""
        await self._call("Input.insertText", text=text)

    async def screenshot(self) -> bytes:
        picture = await self._call("Page.captureScreenshot", format="png")
        return base64.b64decode(picture["data"])

    def hear(self, method: str, event: Event) -> None:
        match method:
            case "Network.requestWillBeSent":
                self.requests.append(event["request"]["url"])
            case "Runtime.consoleAPICalled":
                said = [str(each.get("value", each.get("description"))) for each in event["args"]]
                self.messages.append(f"{event['type']}: {' '.join(said)}")
            case "Runtime.exceptionThrown":
                self.messages.append(f"exception: {event['exceptionDetails']}")
            case "Log.entryAdded":
                entry = event["entry"]
                self.messages.append(f"{entry['level']}: {entry['text']} {entry.get('url', '')}")


class Chromium:
    """One connection to the browser, shared by its pages."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket
        self._numbers = itertools.count(1)
        self._answers: dict[int, asyncio.Future[Event]] = {}
        self._listeners: dict[str, Listener] = {}

    async def page(self) -> Page:
        context = await self.call("Target.createBrowserContext")
        target = await self.call("Target.createTarget", url="about:blank", **context)
        attached = await self.call("Target.attachToTarget", **target, flatten=True)
        session: str = attached["sessionId"]

        async def call(method: str, **parameters: Any) -> Event:
            return await self.call(method, session, **parameters)

        page = Page(call)
        self._listeners[session] = page.hear
        for domain in ("Page", "Network", "Runtime", "Log"):
            await call(f"{domain}.enable")
        return page

    async def call(self, method: str, session: str | None = None, **parameters: Any) -> Event:
        number = next(self._numbers)
        message: Event = {"id": number, "method": method, "params": parameters}
        if session is not None:
            message["sessionId"] = session
        answer = self._answers[number] = asyncio.get_running_loop().create_future()
        await self._socket.send(json.dumps(message))
        async with asyncio.timeout(SECONDS):
            result: Event = await answer
            return result

    async def listen(self) -> None:
        """Hand out what the browser says until it hangs up."""
        with suppress(ConnectionClosed):
            async for text in self._socket:
                self._take(json.loads(text))

    def _take(self, message: Event) -> None:
        if "id" not in message:
            listener = self._listeners.get(message.get("sessionId", ""))
            if listener is not None:
                listener(message["method"], message["params"])
            return
        answer = self._answers.pop(message["id"])
        if answer.done():  # nobody waits any more
            return
        if "error" in message:
            answer.set_exception(RuntimeError(message["error"]["message"]))
        else:
            answer.set_result(message["result"])


@contextmanager
def running(program: str, folder: Path) -> Iterator[Process]:
    """A browser that keeps all it writes in the folder, and is gone afterwards."""
    command = [program, *FLAGS, f"--user-data-dir={folder}", "about:blank"]
    with (folder / "output").open("wb") as output:
        process = subprocess.Popen(command, stdout=output, stderr=output)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


@asynccontextmanager
async def chromium(program: str, folder: Path) -> AsyncIterator[Chromium]:
    """A running browser and the connection to it."""
    with running(program, folder) as process:
        address = await _address(folder, process)
        async with connect(address, max_size=None, proxy=None) as socket:
            browser = Chromium(socket)
            listening = asyncio.create_task(browser.listen())
            try:
                yield browser
            finally:
                # Asked to, it ends with its children; killed, it would leave them to themselves.
                await browser.call("Browser.close")
                await listening
        await asyncio.to_thread(process.wait, SECONDS)


async def _address(folder: Path, process: Process) -> str:
    """Chromium writes the port and path it chose into a file."""
    told = folder / "DevToolsActivePort"
    async with asyncio.timeout(SECONDS):
        while not (told.is_file() and len(lines := told.read_text().split()) == 2):
            assert process.poll() is None, (folder / "output").read_text(errors="replace")
            await asyncio.sleep(0.05)
    port, path = lines
    return f"ws://127.0.0.1:{port}{path}"
