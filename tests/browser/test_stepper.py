"""The page of a trace in a real browser: Chromium with its driver, which `.ci/run` installs; without network."""

import re
import shutil
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from autograd import Value, stepper, trace

webdriver = pytest.importorskip("selenium.webdriver", reason="selenium, of the extra `test`, is not installed here")
from selenium.webdriver.common.action_chains import ActionChains  # noqa: E402
from selenium.webdriver.common.by import By  # noqa: E402
from selenium.webdriver.common.keys import Keys  # noqa: E402

CHROMIUM, DRIVER = shutil.which("chromium") or shutil.which("google-chrome"), shutil.which("chromedriver")
pytestmark = pytest.mark.skipif(not (CHROMIUM and DRIVER), reason="chromium and chromedriver are not installed here")


@pytest.fixture(scope="module")
def chromium(tmp_path_factory):
    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM
    home = tmp_path_factory.mktemp("chromium")
    for argument in ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars"):
        options.add_argument(argument)
    options.add_argument(f"--user-data-dir={home}")
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    found = webdriver.Chrome(options=options, service=webdriver.ChromeService(DRIVER))
    found.execute_cdp_cmd("Network.enable", {})
    offline = {"offline": True, "latency": 0, "downloadThroughput": 0, "uploadThroughput": 0}
    found.execute_cdp_cmd("Network.emulateNetworkConditions", offline)
    yield found
    found.quit()


class Browser:
    """A window with one page; after each test there must be no error of ours in its console."""

    def __init__(self, driver, folder):
        self.driver, self.folder = driver, folder

    def open(self, page, width=1000, height=800, dark=False, scripts=True):
        path = self.folder / "page.html"
        path.write_text(page, encoding="utf-8")
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
        media = {"features": [{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}]}
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", media)
        self.driver.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": not scripts})
        self.driver.get(path.as_uri())
        return self

    def all(self, selector):
        return self.driver.find_elements(By.CSS_SELECTOR, selector)

    def one(self, selector):
        return self.driver.find_element(By.CSS_SELECTOR, selector)

    def click(self, *names):
        for name in names:
            self.one(f".ags-{name}").click()
        return self

    def press(self, *keys):
        ActionChains(self.driver).send_keys(*keys).perform()
        return self

    def run(self, script, *arguments):
        return self.driver.execute_script(script, *arguments)

    @property
    def step(self):
        return int(self.one(".autograd-stepper").get_attribute("data-step"))

    @property
    def panel(self):
        return self.one(".ags-panel").text

    def card(self, name):
        """The lines of a node."""
        return self.run(
            "const is = g => g.querySelector('title').textContent.split('\\n')[0] === arguments[0];"
            "const found = [...document.querySelectorAll('.n')].find(is);"
            "return [...found.querySelectorAll('text')].map(t => t.textContent)",
            name,
        )

    def errors(self):
        return [entry for entry in self.driver.get_log("browser") if entry["source"] != "network"]


@pytest.fixture
def browser(chromium, tmp_path):
    chromium.get_log("browser")
    window = Browser(chromium, tmp_path)
    yield window
    window.driver.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})
    assert window.errors() == []


def example(**expect):
    """Twelve nodes and more: two neurons' worth of what can happen to a gradient."""
    x1, x2, w1, w2 = (Value(data, label=label) for data, label in ((2.0, "x1"), (-1.0, "x2"), (0.5, "w1"), (0.4, "w2")))
    b, t = Value(0.3, label="b"), Value(1.0, label="t")
    z = x1 * w1 + x2 * w2 + b
    a = np.tanh(z)
    loss = (a - t) ** 2 + w1 * w1
    z.label, a.label, loss.label = "z", "a", "L"
    return trace(loss, expect=expect)


def matrices():
    rng = np.random.default_rng(0)
    x = Value(rng.normal(size=(5, 3)), label="X", requires_grad=False)
    w, b = Value(rng.normal(size=(3, 4)), label="W"), Value(np.zeros(4), label="b")
    return trace((np.tanh(x @ w + b) ** 2).mean())


def grown(nodes):
    """A net of one number a node, of about so many."""
    rng = np.random.default_rng(0)
    layer = [Value(number) for number in rng.normal(size=6)]
    made = 6
    while made < nodes:
        following = []
        for _ in range(6):
            if made < nodes:
                terms = [Value(rng.normal()) * x for x in layer]
                following.append(np.tanh(sum(terms[1:], terms[0])))
                made += 3 * len(layer)
        layer = following
    return trace(sum(layer[1:], layer[0]))


# -------------------------------------------------------------------- each control


def test_every_button(browser):
    steps = example()
    total = len(steps.steps)
    browser.open(stepper.page(steps))
    assert browser.step == 0 and "with respect to itself is 1" in browser.panel
    assert [browser.one(f".ags-{name}").is_enabled() for name in ("first", "back", "step", "last")] == [
        False,
        False,
    ] + [True] * 2
    assert browser.click("step").step == 1
    assert browser.click("step", "step", "back").step == 2
    assert browser.click("last").step == total
    assert not browser.one(".ags-step").is_enabled()
    assert browser.click("back").step == total - 1
    assert browser.click("first").step == 0
    assert browser.one(".ags-count").text == f"step 0 of {total}"


def test_what_a_step_says(browser):
    steps = example()
    number = next(s.number for s in steps.steps if steps.nodes[s.input].name == "z")
    browser.open(stepper.page(steps))
    browser.click(*["step"] * number)
    assert "grad z: – → −0.2763" in browser.panel
    assert "z receives −0.2763: the gradient of a, −0.5674, times the local derivative, 0.4869." in browser.panel
    assert browser.one(".pill text").text == "−0.5674 × 0.4869 = −0.2763"
    assert len(browser.all(".e.play")) == len(browser.all(".n.from")) == len(browser.all(".n.to")) == 1
    math = browser.run("return [...document.querySelectorAll('.ags-math math')].map(m => m.textContent).join('')")
    assert math.replace("\u2061", "") == "∂L∂z=∂L∂a·∂a∂z=∂L∂a·(1−tanh(z)2)=−0.5674·(−0.4869)=−0.2763".replace(
        "(−0.4869)", "0.4869"
    )
    assert browser.run("return document.querySelector('math').namespaceURI").endswith("MathML")
    assert browser.one(".ags-panel").get_attribute("aria-live") == "polite"


def test_gradients_add_up_and_the_way_back_takes_them_away(browser):
    steps = example()
    browser.open(stepper.page(steps))
    assert browser.card("w1")[1:] == ["data 0.5", "grad –", "0 of 3 in"]
    seen = []
    browser.click("last")
    while browser.step:
        seen.append(browser.card("w1")[2:])
        browser.click("back")
    kept = [seen[0]] + [b for a, b in pairwise(seen) if a != b]
    browser.click("last")
    assert kept[0] == ["grad 0.4474", "3 of 3 in"] and kept[-1] in (
        ["grad –", "0 of 3 in"],
        ["grad −0.5526", "1 of 3 in"],
    )
    assert [line[1] for line in kept[:3]] == ["3 of 3 in", "2 of 3 in", "1 of 3 in"]
    texts = browser.run("return [...document.querySelectorAll('.n .g')].map(t => t.textContent)")
    gradients = [f"grad {n.gradient:.4g}".replace("-", "−") for n in steps.nodes if n.gradient is not None]
    assert texts == gradients


def test_the_scrubber(browser):
    browser.open(stepper.page(example()))
    scrub = browser.one(".ags-scrub")
    browser.run("arguments[0].value = 7; arguments[0].dispatchEvent(new Event('input'))", scrub)
    assert browser.step == 7
    scrub.send_keys(Keys.ARROW_RIGHT)
    assert browser.step == 8
    assert scrub.get_attribute("aria-valuetext").startswith("step 8 of")


def test_play_and_pause(browser):
    browser.open(stepper.page(example()))
    browser.run("window.__set = window.setInterval; window.setInterval = (f, ms) => window.__set(f, ms / 5)")
    browser.click("play")
    WAIT(browser, lambda: browser.step >= 1)
    browser.click("play")
    at = browser.step
    assert browser.one(".ags-play").get_attribute("aria-pressed") == "false"
    browser.run("return new Promise(done => setTimeout(done, 100))")
    assert browser.step == at
    browser.click("play")
    WAIT(browser, lambda: not browser.one(".ags-step").is_enabled())
    assert "Play" in browser.one(".ags-play").text


def WAIT(browser, met):  # noqa: N802
    for _ in range(400):
        if met():
            return
        browser.run("return new Promise(done => setTimeout(done, 30))")
    raise AssertionError("it did not happen")


def test_the_keyboard_alone(browser):
    steps = example()
    browser.open(stepper.page(steps))
    browser.press(Keys.TAB)
    assert browser.run("return document.activeElement.className") == "autograd-stepper"
    assert browser.press(Keys.ARROW_RIGHT, Keys.ARROW_RIGHT, Keys.ARROW_LEFT).step == 1
    assert browser.press(Keys.END).step == len(steps.steps)
    assert browser.press(Keys.HOME).step == 0
    assert browser.press("l").step > 0
    reached = []
    for _ in range(14):
        browser.press(Keys.TAB)
        reached.append(browser.run("return document.activeElement.className || document.activeElement.tagName"))
    for name in ("step", "play", "scrub", "leaf", "to", "nan", "fit"):
        assert any(f"ags-{name}" in seen for seen in reached), (name, reached)
    browser.run("document.querySelector('.ags-back').focus()")
    assert browser.press(Keys.SPACE).step >= 0, "space on a button is the button's"
    outline = browser.run("return getComputedStyle(document.activeElement).outlineStyle")
    assert outline == "solid"


def test_a_click_on_a_node_runs_to_it(browser):
    steps = example()
    browser.open(stepper.page(steps))
    for name in ("z", "w1", "a"):
        node = steps[name]
        last = max(s.number for s in steps.steps if s.input == node.id)
        browser.all(".n")[node.id].click()
        assert browser.step == last
    select = browser.one(".ags-to")
    names = [option.text for option in select.find_elements(By.TAG_NAME, "option")]
    assert names[1:] == [n.name for n in steps.nodes if n.gradient is not None]
    select.find_elements(By.TAG_NAME, "option")[names.index("b")].click()
    assert "grad b:" in browser.panel


def test_next_leaf(browser):
    steps = example()
    browser.open(stepper.page(steps))
    names = []
    while browser.one(".ags-leaf").is_enabled():
        browser.click("leaf")
        names.append(re.search(r"grad (\w+):", browser.panel)[1])
    assert sorted(names) == ["b", "t", "w1", "w2", "x1", "x2"]


def test_runs_stop_at_alarms(browser):
    x, y = Value(0.0, label="x"), Value(2.0, label="y")
    with np.errstate(divide="ignore"):
        steps = trace(np.log(x) * 0.5 + y * y * 0)
    browser.open(stepper.page(steps))
    bad = next(s.number for s in steps.steps if not np.isfinite(s.after))
    browser.all(".n")[steps["y"].id].click()
    if bad < max(s.number for s in steps.steps if s.input == steps["y"].id):
        assert browser.step == bad and "not finite" in browser.panel
    browser.click("last")
    assert len(browser.all(".n.bad")) == 1
    browser.click("first", "nan", "zero")
    for _ in range(len(steps.steps)):
        browser.click("leaf")
        if "Stopped at a gradient of 0" in browser.panel:
            break
    assert "is 0: nothing goes on from here" in browser.panel
    z = Value(3.0, label="z")
    browser.open(stepper.page(trace(z * 5000.0 * 2.0)))
    browser.click("huge", "leaf")
    assert "explodes" in browser.panel and "Stopped at an exploding gradient" in browser.panel


def test_expected_gradients_are_marked(browser):
    steps = example(w1=0.447, b=0.28)
    browser.open(stepper.page(steps))
    assert "✗ b: 0.28 was expected, and it is −0.2763." in browser.panel
    browser.click("last")
    marks = browser.run(
        "return [...document.querySelectorAll('.right, .wrong')].map(t => t.textContent + t.style.visibility)"
    )
    assert sorted(marks) == ["✓visible", "✗visible"]


def test_zoom_and_pan(browser):
    browser.open(stepper.page(grown(100)), width=700)

    def matrix():
        transform = browser.one(".world").get_attribute("transform")
        return [float(n) for n in re.findall(r"-?[\d.]+", transform)]

    browser.click("one")
    assert matrix()[2] == 1
    browser.click("fit")
    fitted = matrix()
    area = browser.run("return document.querySelector('.ags-view').getBoundingClientRect().toJSON()")
    world = browser.run("return document.querySelector('.world').getBoundingClientRect().toJSON()")
    assert world["width"] <= area["width"] + 1 and world["height"] <= area["height"] + 1
    browser.click("in", "in", "in", "in", "in", "in", "in", "in")
    assert matrix()[2] > 4 * fitted[2]
    before = matrix()
    ActionChains(browser.driver).drag_and_drop_by_offset(browser.one(".ags-view"), 60, 0).perform()
    assert matrix()[0] == pytest.approx(before[0] + 60, abs=8)
    browser.click("out")
    assert matrix()[2] == pytest.approx(before[2] / 1.25, rel=1e-3)
    step = browser.step
    browser.press("f")
    assert browser.step == step


def test_the_arrow_in_play_is_in_sight(browser):
    browser.open(stepper.page(grown(100)), width=600)
    total = len(browser.run("return JSON.parse(document.querySelector('.ags-data').textContent).steps"))
    for step in range(9, total, 23):
        browser.run("const s = document.querySelector('.ags-scrub'); s.value = arguments[0];"
                    "s.dispatchEvent(new Event('input'))", step)  # fmt: skip
        seen, node = browser.run(
            "return ['.ags-view', '.n.to'].map(s => document.querySelector(s).getBoundingClientRect().toJSON())"
        )
        assert seen["left"] < (node["left"] + node["right"]) / 2 < seen["right"]
        assert seen["top"] < (node["top"] + node["bottom"]) / 2 < seen["bottom"]


# -------------------------------------------------------------------- arrays, sizes, themes, places


def test_arrays(browser):
    steps = matrices()
    browser.open(stepper.page(steps))
    browser.all(".n")[steps["W"].id].click()
    assert "by the rule of matmul" in browser.panel
    math = browser.run("return document.querySelector('.ags-math math').textContent").replace("\u2062", "")
    assert math.startswith("∂") and "XT" in math
    shapes = browser.run(
        "return [...document.querySelectorAll('.ags-thumbs canvas')].map(c => c.getAttribute('aria-label'))"
    )
    assert [text.split(",")[0] for text in shapes] == ["upstream", "contribution", "gradient so far"]
    browser.all(".n")[steps["b"].id].click()
    assert "summed over axis 0, along which the input had been broadcast" in browser.panel
    painted = browser.run(
        "const c = document.querySelector('.ags-thumbs canvas');"
        "return new Set(c.getContext('2d').getImageData(0, 0, c.width, c.height).data).size"
    )
    assert painted > 4


@pytest.mark.parametrize("nodes", [12, 100, 1000])
def test_sizes(browser, nodes):
    steps = example() if nodes == 12 else grown(nodes)
    assert nodes <= len(steps.nodes) < 1.3 * nodes + 10
    browser.open(stepper.page(steps))
    assert len(browser.all(".n")) == len(steps.nodes)
    for _ in range(5):
        browser.click("step")
    assert browser.click("last").step == len(steps.steps)
    assert browser.click("first").step == 0


def brightness(browser, selector, property_):
    numbers = browser.run(
        "return getComputedStyle(document.querySelector(arguments[0]))[arguments[1]].match(/[\\d.]+/g).map(Number)",
        selector, property_,
    )  # fmt: skip
    return sum(numbers[:3]) / 3


@pytest.mark.parametrize("dark", [False, True])
def test_themes(browser, dark):
    browser.open(stepper.page(example()), dark=dark)
    paper, ink = brightness(browser, ".autograd-stepper", "backgroundColor"), brightness(browser, ".n text", "fill")
    assert (paper < 60 and ink > 200) if dark else (paper > 240 and ink < 60)


@pytest.mark.parametrize("light", ["true", "false"])
def test_the_theme_of_jupyterlab_counts_more_than_that_of_the_system(browser, light):
    page = stepper.page(example()).replace("<body>", f'<body data-jp-theme-light="{light}">')
    browser.open(page, dark=light == "true")
    assert (brightness(browser, ".autograd-stepper", "backgroundColor") > 128) == (light == "true")


def test_two_on_one_page(browser):
    two = stepper.fragment(example()) + stepper.fragment(matrices())
    browser.open(f"<!DOCTYPE html><meta charset='utf-8'>{two}")
    hosts = browser.all(".autograd-stepper")
    hosts[1].find_element(By.CSS_SELECTOR, ".ags-step").click()
    hosts[1].find_element(By.CSS_SELECTOR, ".ags-step").click()
    hosts[0].find_element(By.CSS_SELECTOR, ".ags-step").click()
    assert [host.get_attribute("data-step") for host in hosts] == ["1", "2"]
    assert len(browser.all(".e.play")) == 2


def test_nothing_shifts(browser):
    steps = example(w1=0.4)
    browser.open(stepper.page(steps), width=390)
    heights = set()
    for _ in range(len(steps.steps)):
        browser.click("step" if browser.one(".ags-step").is_enabled() else "first")
        heights.add(browser.run("return document.querySelector('.autograd-stepper').offsetHeight"))
    assert len(heights) == 1
    assert browser.run("return document.documentElement.scrollWidth") <= 390


def test_without_scripts(browser):
    """As where scripts are switched off, and as where they and the style are cut out."""
    page = stepper.page(example())
    for text in (page, re.sub(r"<(script|style)\b.*?</\1>", "", page, flags=re.DOTALL)):
        browser.open(text, scripts=False)
        browser.driver.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})
        image = browser.one("img")
        assert int(image.get_property("naturalWidth")) > 300 and image.is_displayed()
        assert "L" in image.get_attribute("alt")
        assert not [b for b in browser.all("button, input, select") if b.is_displayed()]
        browser.one("summary").click()
        assert "grad" in browser.one("pre").text


def test_hostile_names_run_nothing(browser):
    names = ["<script>window.hit = 1</script>", "</script><img src=x onerror='window.hit = 1'>", "${window.hit = 1}"]
    x, y, z = (Value(float(i + 1), label=label) for i, label in enumerate(names))
    browser.open(stepper.page(trace(x * y * z, expect={names[0]: 3.0})))
    browser.click("step", "step", "last")
    assert names[0] in browser.one(".ags-to").text
    assert browser.run("return window.hit") is None


def test_an_executed_notebook_as_html(browser):
    nbformat = pytest.importorskip("nbformat", reason="nbformat is not installed here")
    nbclient = pytest.importorskip("nbclient", reason="nbclient is not installed here")
    nbconvert = pytest.importorskip("nbconvert", reason="nbconvert is not installed here")
    pytest.importorskip("ipykernel", reason="ipykernel is not installed here")
    cell = nbformat.v4.new_code_cell
    notebook = nbformat.v4.new_notebook(
        cells=[
            cell("import numpy as np\nfrom autograd import Value, draw, trace"),
            cell("x, w = Value(2.0), Value(-3.0)\ny = np.tanh(x * w)\ntrace(y)"),
            cell("y.backward()\ndraw(y)"),
            cell("trace(y * y, expect={'x': 1.0})"),
        ]
    )  # fmt: skip
    root = str(Path(__file__).parents[2])
    nbclient.NotebookClient(notebook, timeout=120, resources={"metadata": {"path": root}}).execute()
    page, _ = nbconvert.HTMLExporter().from_notebook_node(notebook)
    browser.open(page)
    hosts = browser.all(".autograd-stepper")
    assert len(hosts) == 2
    for host in hosts:
        browser.run("arguments[0].scrollIntoView()", host)
        before = int(host.get_attribute("data-step"))
        host.find_element(By.CSS_SELECTOR, ".ags-step").click()
        assert int(host.get_attribute("data-step")) == before + 1
    assert not browser.all("img.autograd-drawing")
    drawing = browser.run(
        "const s = [...document.querySelectorAll('.jp-OutputArea-output > div > svg')][0];"
        "return [s.getAttribute('aria-label'), s.getBoundingClientRect().width, s.parentNode.clientWidth]"
    )
    assert drawing[0].startswith("Drawing: 4 nodes") and drawing[1] <= drawing[2]
    assert {"x", "w", "y"} <= set(
        browser.run("return [...document.querySelectorAll('.n title')].map(t => t.textContent)")
    )


def test_a_pass_of_no_steps(browser):
    browser.open(stepper.page(trace(Value(1.0, label="x"))))
    browser.click("play")
    browser.press(Keys.END)
    assert browser.step == 0 and "itself is 1." in browser.panel


def test_a_pass_with_a_gradient_of_its_own(browser):
    x = Value(np.ones((2, 2)), label="x")
    y = x * 3.0
    y.label = "y"
    browser.open(stepper.page(trace(y, gradient=np.full((2, 2), 0.5))))
    assert "starts with the gradient of y that it was given" in browser.panel
    browser.click("step")
    assert "‖3‖" in browser.card("x")[2] or "1.5" in browser.card("x")[2]
