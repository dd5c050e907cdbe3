"""The page in a real browser, driven over a pipe by the DevTools protocol."""

import json
import os
import shutil
import subprocess

import numpy as np
import pytest

from bench.report import make_report
from bench.report.tables.main import HEADER

pytestmark = pytest.mark.browser

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
ARGUMENTS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--allow-file-access-from-files", "--remote-debugging-pipe",
)  # fmt: skip
DESKTOP, PHONE = (1280, 900), (390, 844)


class Browser:
    """Chromium reads commands from its descriptor 3 and answers on 4: JSON, each ended by a zero byte."""

    def __init__(self, profile):
        theirs_in, ours_out = os.pipe()
        ours_in, theirs_out = os.pipe()
        words = [CHROMIUM, *ARGUMENTS, f"--user-data-dir={profile}", "about:blank"]
        shell = f'exec "$@" 3<&{theirs_in} 4>&{theirs_out}'
        self.process = subprocess.Popen(
            ["bash", "-c", shell, "bash", *words], pass_fds=(theirs_in, theirs_out), stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        os.close(theirs_in)
        os.close(theirs_out)
        self.out, self.into = os.fdopen(ours_out, "wb", buffering=0), os.fdopen(ours_in, "rb")
        self.number, self.events, self.session = 0, [], None
        target = self.send("Target.createTarget", url="about:blank")["targetId"]
        self.session = self.send("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Network", "Log"):
            self.send(f"{domain}.enable")

    def _read(self):
        content = bytearray()
        while (byte := self.into.read(1)) != b"\0":
            assert byte, "Chromium ended"
            content += byte
        return json.loads(content)

    def send(self, method, **params):
        self.number += 1
        message = {"id": self.number, "method": method, "params": params}
        message |= {"sessionId": self.session} if self.session else {}
        self.out.write(json.dumps(message).encode() + b"\0")
        while (answer := self._read()).get("id") != self.number:
            self.events.append(answer)
        assert "error" not in answer, answer
        return answer["result"]

    def open(self, url, size=DESKTOP):
        self.send("Emulation.setDeviceMetricsOverride", width=size[0], height=size[1], deviceScaleFactor=1,
                  mobile=size[0] < 600)  # fmt: skip
        self.events.clear()
        self.send("Page.navigate", url=url)
        self.wait("document.readyState === 'complete'")

    def run(self, code):
        """The value of an expression; what a promise gives."""
        answer = self.send("Runtime.evaluate", expression=code, awaitPromise=True, returnByValue=True)
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")

    def wait(self, condition):
        self.run(f"""new Promise((good, bad) => {{
            const stop = Date.now() + 20000;
            const look = () => {condition} ? good() : Date.now() > stop ? bad("waited too long") : setTimeout(look, 20);
            look();
        }})""")

    def shown(self):
        """Wait for a slice to be drawn; which one."""
        self.wait("document.body.dataset.shown")
        return self.run("document.body.dataset.shown")

    def requests(self):
        return [e["params"]["request"]["url"] for e in self.events if e["method"] == "Network.requestWillBeSent"]

    def complaints(self):
        """Failed requests, errors on the console, exceptions."""
        bad = ("Network.loadingFailed", "Runtime.exceptionThrown", "Log.entryAdded", "Runtime.consoleAPICalled")
        return [event for event in self.events if event["method"] in bad]

    def key(self, key, modifiers=0):
        for kind in ("keyDown", "keyUp"):
            self.send(
                "Input.dispatchKeyEvent", type=kind, key=key, text=key if len(key) == 1 else "", modifiers=modifiers
            )

    def close(self):
        self.session = None
        self.send("Browser.close")
        self.process.wait(20)
        self.out.close()
        self.into.close()


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    if CHROMIUM is None:
        reason = "there is no Chromium: apt-get install -y chromium"
        pytest.fail(reason) if os.environ.get("CI") else pytest.skip(reason)
    browser = Browser(tmp_path_factory.mktemp("profile"))
    yield browser
    browser.close()


@pytest.fixture(scope="module")
def url(new_results, tmp_path_factory):
    results = new_results()
    for i, method in enumerate(("modl+bicubic", "modl+sinc", "modl+bebygan", "dl-espirit+bebygan", "cg-sense+sinc")):
        results.add(method, "sequential", psnr=32.0 - i)
    results.add("proposed", "joint", psnr=33.0, contrasts=("t1w", "t2w"))
    results.add("oracle+sinc", "bound", psnr=40.0, contrasts=("t1w", "t2w"))
    results.fail("t2net", status="out-of-memory", reason="needs 9 GB")
    results.add("proposed", dataset="brain")
    return make_report(results.folder, tmp_path_factory.mktemp("report"))[-1].as_uri()


ROWS = "[...document.querySelectorAll('[data-name=\"All methods, vwi, profile laptop\"] tbody tr')]"
SEEN = f"{ROWS}.filter(row => row.offsetHeight).map(row => row.cells[0].textContent)"
COLUMN = "[...document.querySelectorAll('[data-name=\"All methods, vwi, profile laptop\"] thead th')]"
IMAGE, ERROR = ("document.getElementById('image')", "document.getElementById('error')")
NO_ERROR = [0, 0, 4]  # the first colour of the map


@pytest.mark.parametrize("size", [DESKTOP, PHONE])
def test_nothing_is_fetched_nothing_complains_nothing_is_too_wide(browser, url, size):
    browser.open(url, size)
    browser.shown()
    assert browser.run("document.documentElement.scrollWidth <= innerWidth")
    assert browser.run("innerWidth") == size[0]
    assert [u for u in browser.requests() if not u.startswith("data:")] == [url]
    assert browser.complaints() == []


def test_a_click_sorts_a_second_one_turns_it_round(browser, url):
    browser.open(url)
    psnr = f"{COLUMN}.find(th => th.textContent.startsWith('PSNR, dB'))"
    before = browser.run(SEEN)
    browser.run(f"{psnr}.querySelector('button').click()")
    rising = [
        "cg-sense+sinc",
        "dl-espirit+bebygan",
        "modl+bebygan",
        "modl+sinc",
        "modl+bicubic",
        "proposed",
        "oracle+sinc",
    ]
    assert browser.run(SEEN) == [*rising, "t2net"] != before
    assert browser.run(f"{psnr}.ariaSort") == "ascending"
    browser.run(f"{psnr}.querySelector('button').click()")
    assert browser.run(SEEN) == [*rising[::-1], "t2net"]  # what has no number stays last


def test_filter_and_copy_what_is_shown(browser, url):
    browser.open(url)
    box = f"{ROWS}[0].closest('.table').querySelector('input')"
    browser.run(f"{box}.focus()")
    browser.send("Input.insertText", text="modl seq")
    assert browser.run(SEEN) == ["modl+bicubic", "modl+sinc", "modl+bebygan"]  # best first
    assert browser.run(f"{box}.parentElement.querySelector('output').textContent") == "3 of 8 rows"
    browser.run("navigator.clipboard.writeText = async (text) => { window.copied = text; }")
    browser.run(f"{box}.parentElement.querySelector('button').click()")
    browser.wait("window.copied")
    latex = browser.run("window.copied").splitlines()
    assert latex[1:3] == [rf"\begin{{tabular}}{{ll{'r' * (len(HEADER) - 2)}}}", r"\toprule"]
    assert latex[3].startswith(r"method & group & class & PSNR fg, dB $\uparrow$ & ")
    assert latex[7].startswith(r"modl+bebygan & sequential & none & 28.15 $\pm$ 0.11 [28.0")
    assert len(latex) == 10


def colour(x, y, canvas):
    """Red, green, blue at a place, in parts of width and height."""
    return (f"[...{canvas}.getContext('2d').getImageData({canvas}.width * {x}, {canvas}.height * {y}, 1, 1).data]"
            ".slice(0, 3)")  # fmt: skip


def pixels(browser, canvas=IMAGE):
    return browser.run(f"{canvas}.toDataURL()")


def test_slider_parts_the_images(browser, url):
    browser.open(url)
    assert browser.shown() == "brain, profile laptop | t1w | s0, slice 0 | proposed | proposed"
    browser.run(
        "document.getElementById('b').value = 'truth'; document.getElementById('b').dispatchEvent(new Event('change'))"
    )
    browser.wait("document.body.dataset.shown.endsWith('truth')")
    slider = "document.getElementById('split')"
    browser.run(f"{slider}.focus()")
    seen = [pixels(browser)]
    for _ in range(4):
        browser.send("Input.dispatchKeyEvent", type="keyDown", key="Home", windowsVirtualKeyCode=36)
        seen.append(pixels(browser))
    assert browser.run(f"{slider}.value") == "0"
    assert seen[0] != seen[-1]
    assert browser.run(colour(0.25, 0.5, ERROR)) == NO_ERROR  # right of the slider the truth: no error, anywhere
    browser.send("Input.dispatchKeyEvent", type="keyDown", key="End", windowsVirtualKeyCode=35)
    assert browser.run(f"{slider}.value") == "100"
    assert browser.run(colour(0.25, 0.5, ERROR)) != NO_ERROR


def drag(browser, start, end):
    """Over the image, from one place to another, in parts of its width and height."""
    box = browser.run(f"(b => [b.x, b.y, b.width, b.height])({IMAGE}.getBoundingClientRect())")
    for kind, (x, y) in (("mousePressed", start), ("mouseMoved", end), ("mouseReleased", end)):
        browser.send("Input.dispatchMouseEvent", type=kind, x=box[0] + x * box[2], y=box[1] + y * box[3], button="left",
                     buttons=1, clickCount=1)  # fmt: skip


def test_dragging_the_line_moves_the_slider_and_elsewhere_the_image(browser, url):
    browser.open(url)
    browser.shown()
    browser.run(f"{IMAGE}.scrollIntoView()")
    drag(browser, (0.5, 0.5), (0.25, 0.5))
    assert float(browser.run("document.getElementById('split').value")) == pytest.approx(25, abs=1)
    browser.run("document.getElementById('in').click()")
    before = pixels(browser)
    drag(browser, (0.7, 0.5), (0.8, 0.6))
    assert pixels(browser) != before
    assert float(browser.run("document.getElementById('split').value")) == pytest.approx(25, abs=1)


def test_both_views_zoom_and_pan_together_by_keys(browser, url):
    browser.open(url)
    browser.shown()
    browser.run(f"{IMAGE}.focus()")
    before = [pixels(browser, canvas) for canvas in (IMAGE, ERROR)]
    browser.key("+")
    near = [pixels(browser, canvas) for canvas in (IMAGE, ERROR)]
    browser.send("Input.dispatchKeyEvent", type="keyDown", key="ArrowLeft", windowsVirtualKeyCode=37)
    beside = [pixels(browser, canvas) for canvas in (IMAGE, ERROR)]
    assert all(len(set(views)) == 3 for views in zip(before, near, beside, strict=True))
    browser.key("0")
    browser.wait(f"{IMAGE}.toDataURL() === {json.dumps(before[0])}")
    assert pixels(browser, ERROR) == before[1]


def test_keys_change_method_slice_and_error_map(browser, url):
    browser.open(url)
    browser.run("document.getElementById('section').value = 1; "
                "document.getElementById('section').dispatchEvent(new Event('change'))")  # fmt: skip
    browser.wait("document.body.dataset.shown?.startsWith('vwi')")
    browser.run(f"{IMAGE}.focus()")
    browser.key(".")
    browser.wait("document.body.dataset.shown.includes('slice 1')")
    before = browser.run("document.getElementById('b').value")
    browser.key("b")
    browser.wait(f"!document.body.dataset.shown.endsWith('| {before}')")
    assert "dB" in browser.run("document.getElementById('caption-b').textContent")
    before = pixels(browser, ERROR)
    seen = {before}
    for which, named in (("minus", "A − B"), ("kspace", "k-space of")):
        browser.key("e")
        assert browser.run(BESIDE) == which
        assert browser.run(f"{ERROR}.ariaLabel").startswith(f"Left of the slider {named}")
        seen.add(pixels(browser, ERROR))
    assert len(seen) == 3
    browser.key("e")
    assert (browser.run(BESIDE), browser.run(f"{ERROR}.offsetHeight")) == ("nothing", 0)
    browser.key("e")
    assert pixels(browser, ERROR) == before


BESIDE = "document.getElementById('beside').value"


def choose(browser, **values):
    """Set controls, then say so, as a user's choice does."""
    for name, value in values.items():
        browser.run(
            f"(s => {{ s.value = '{value}'; s.dispatchEvent(new Event('change')); }})(document.getElementById('{name}'))"
        )


def test_a_minus_b_is_red_where_a_is_brighter_and_white_where_they_are_alike(browser, url):
    browser.open(url)
    browser.shown()
    choose(browser, a="truth", b="truth", beside="minus")
    browser.wait("document.body.dataset.shown.endsWith('truth | truth')")
    assert browser.run(colour(0.25, 0.5, ERROR)) == browser.run(colour(0.75, 0.25, ERROR)) == [247, 247, 247]
    slice_ = {"size": [2, 1], "errorTop": 0.5}
    made = f"[...difference({json.dumps(slice_)}, [255, 0], [0, 255]).getContext('2d').getImageData(0, 0, 2, 1).data]"
    assert browser.run(made) == [178, 24, 43, 255, 33, 102, 172, 255]


def test_k_space_is_that_of_numpy(browser, url):
    browser.open(url)
    browser.shown()
    image = np.random.default_rng(0).integers(0, 255, (7, 10))
    call = f"[...spectrum({{ size: [10, 7] }}, {json.dumps(image.ravel().tolist())})]"
    expected = np.fft.fftshift(np.fft.fft2(np.fft.ifftshift(image)))
    assert browser.run(call) == pytest.approx(np.log10(np.abs(expected)).ravel().tolist(), abs=1e-6)


def test_a_link_shows_what_was_seen(browser, url):
    browser.open(url)
    browser.shown()
    choose(browser, section="1")
    browser.wait("document.body.dataset.shown.startsWith('vwi')")
    choose(browser, contrast="t2w", beside="minus")
    browser.wait("document.body.dataset.shown.includes('t2w')")
    choose(browser, slice="2", a="oracle+sinc", b="truth")
    browser.wait("document.body.dataset.shown.endsWith('oracle+sinc | truth')")
    seen = browser.shown()
    browser.run("navigator.clipboard.writeText = async (text) => { window.copied = text; }")
    browser.run("document.getElementById('link').click()")
    browser.wait("window.copied")
    link = browser.run("window.copied")
    assert link.startswith(f"{url}#slice=vwi-laptop,t2w,")
    browser.open("about:blank")
    browser.open(link)
    browser.wait(f"document.body.dataset.shown === {json.dumps(seen)}")
    assert browser.run(BESIDE) == "minus"


def test_a_link_to_what_is_not_here_shows_what_is(browser, url):
    browser.open("about:blank")
    browser.open(f"{url}#slice=vwi-laptop,no-such,x,y,proposed,z")
    browser.wait("document.body.dataset.shown?.startsWith('vwi, profile laptop | t1w | s0, slice 0')")
    browser.open("about:blank")
    browser.open(f"{url}#slice=%E0%A4%A")
    assert browser.shown().startswith("brain")
    assert browser.complaints() == []


def test_grids_are_drawn_from_the_same_images(browser, url):
    browser.open(url)
    browser.wait("document.body.dataset.filled")
    assert browser.run("document.querySelectorAll('figure.grid .cells').length") == 3
    cells = (
        "[...document.querySelector('figure.grid[data-section=vwi-laptop][data-slice=\"t1w/s0/1\"] .cells').children]"
    )
    said = [
        "truth|1|", "LR input, zero-filled|1|", "proposed|2|33.10 dB, LPIPS 0.050", "t2net|0|out-of-memory",
        "cg-sense+sinc|2|28.10 dB, LPIPS 0.050", "dl-espirit+bebygan|2|29.10 dB, LPIPS 0.050",
        "modl+bebygan|2|30.10 dB, LPIPS 0.050", "modl+bicubic|2|32.10 dB, LPIPS 0.050",
        "modl+sinc|2|31.10 dB, LPIPS 0.050", "oracle+sinc (bound)|2|40.10 dB, LPIPS 0.050",
    ]  # fmt: skip
    columns = "[c.firstChild.textContent, c.querySelectorAll('canvas').length, c.lastChild.textContent].join('|')"
    assert browser.run(f"{cells}.map(c => {columns})") == said
    groups = ["", "", "joint", "joint", *["sequential"] * 5, "bound"]
    assert browser.run(f"{cells}.map(c => c.lastChild.className.replace('group ', ''))") == groups
    key = "[...document.querySelector('figure.grid[data-section=vwi-laptop] .scale').querySelectorAll('.group')]"
    assert browser.run(f"{key}.map(s => s.textContent)") == ["joint", "sequential", "bound"]
    looks = f"{cells}.slice(2).map(c => getComputedStyle(c.lastChild, '::before').content)"
    assert len(set(browser.run(looks))) == 3
    drawn = browser.run(f"{cells}.flatMap(c => [...c.querySelectorAll('canvas')].map(v => v.toDataURL()))")
    assert len(set(drawn)) == len(drawn) == 16
    assert browser.run("document.querySelectorAll('figure.grid details').length") == 0


def test_of_many_methods_a_few_are_in_sight_and_the_others_unfold(browser, new_results, tmp_path):
    results = new_results()
    for i in range(15):
        results.add(f"m{i:02}", "single", kept=1)
    browser.open(make_report(results.folder, tmp_path)[-1].as_uri())
    browser.wait("document.body.dataset.filled")
    names = "[...document.querySelectorAll('figure.grid .cells > div')].map(cell => cell.firstChild.textContent)"
    assert len(browser.run(names)) == 2 + 12
    browser.run("document.querySelector('figure.grid summary').click()")
    browser.wait("document.querySelectorAll('figure.grid .cells').length === 2")
    assert browser.run(names)[-3:] == ["m12", "m13", "m14"]


def test_window_and_level_change_the_greys(browser, url):
    browser.open(url)
    browser.shown()
    before = pixels(browser)
    browser.run("document.getElementById('window').value = 20; "
                "document.getElementById('window').dispatchEvent(new Event('input'))")  # fmt: skip
    assert pixels(browser) != before


def test_a_methods_link_opens_its_provenance(browser, url):
    browser.open(url)
    details = "document.getElementById('run-vwi-laptop-modl+sinc')"
    assert not browser.run(f"{details}.checkVisibility()")
    browser.run(f"{ROWS}.find(row => row.cells[0].textContent === 'modl+sinc').querySelector('a').click()")
    browser.wait(f"{details}.open && {details}.querySelector('dd').checkVisibility()")
    assert "slices_sha256" in browser.run(f"{details}.innerText")
