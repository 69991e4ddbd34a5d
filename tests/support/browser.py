"""A headless Chromium driven through ChromeDriver, by its plain HTTP protocol (W3C WebDriver): no package is needed."""

import json
import os
import shutil
import subprocess
import sys
import time
import urllib.error
import urllib.request

ELEMENT = "element-6066-11e4-a52e-4f735466cecf"  # the key of an element in an answer, as the standard has it


class Browser:
    """`with Browser() as b:` starts it with a window of width x height."""

    def __init__(self, width=1300, height=900, dark=False):
        self.chrome = shutil.which("chromium") or shutil.which("google-chrome")
        self.driver = shutil.which("chromedriver")
        if not self.chrome or not self.driver:
            print("this test needs a browser: install chromium and chromium-driver (sh jobs/packages.sh does)", file=sys.stderr)
            sys.exit(77)  # ctest: skipped
        self.options = ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
                        "--hide-scrollbars", "--disable-background-networking", "--disable-component-update",
                        f"--window-size={width},{height}", f"--user-data-dir={os.path.abspath('browser-profile')}"]
        if dark:
            self.options.append("--force-dark-mode")

    def start_driver(self):
        """Its port; None: it ended, as it does if the port that it chose is taken meanwhile."""
        self.process = subprocess.Popen([self.driver, "--port=0"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        for line in self.process.stdout:
            if "on port " in line and "Starting" not in line:
                return int(line.rsplit("on port ", 1)[1].rstrip(".\n"))
        self.process.wait(20)

    def __enter__(self):
        shutil.rmtree("browser-profile", ignore_errors=True)
        port = self.start_driver() or self.start_driver() or self.start_driver()
        assert port, "chromedriver did not start"
        self.base = f"http://127.0.0.1:{port}/session"
        self.session = ""
        answer = self.call("POST", "", {"capabilities": {"alwaysMatch": {
            "browserName": "chrome", "goog:loggingPrefs": {"browser": "ALL"},
            "goog:chromeOptions": {"binary": self.chrome, "args": self.options}}}})
        self.session = "/" + answer["sessionId"]
        return self

    def __exit__(self, *error):
        try:
            self.call("DELETE", "")
        finally:
            self.process.terminate()
            self.process.wait(20)
            shutil.rmtree("browser-profile", ignore_errors=True)

    def call(self, method, path, body=None):
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.base + self.session + path, data, {"Content-Type": "application/json"}, method=method)
        try:
            with urllib.request.urlopen(request, timeout=120) as answer:
                return json.load(answer)["value"]
        except urllib.error.HTTPError as error:
            raise AssertionError(f"{method} {path}: {error.read().decode()[:2000]}") from None

    def open(self, url):
        self.call("POST", "/url", {"url": url})

    def run(self, script, *values):
        """The value that a piece of JavaScript returns."""
        return self.call("POST", "/execute/sync", {"script": script, "args": list(values)})

    def until(self, script, *values, seconds=20):
        """Waits until the JavaScript returns something true, and returns it."""
        end = time.monotonic() + seconds
        while True:
            found = self.run(script, *values)
            if found:
                return found
            assert time.monotonic() < end, f"after {seconds} s still not: {script} {values}\nconsole: {self.console()}\nat {self.run('return location.href')}"
            time.sleep(0.05)

    def find(self, css):
        return self.call("POST", "/element", {"using": "css selector", "value": css})[ELEMENT]

    def click(self, css):
        """As a person does: scrolled to, visible, with nothing in front."""
        self.call("POST", f"/element/{self.find(css)}/click", {})

    def type(self, css, text):
        self.call("POST", f"/element/{self.find(css)}/value", {"text": text})

    def back(self):
        self.call("POST", "/back", {})

    def size(self, width, height):
        self.call("POST", "/window/rect", {"width": width, "height": height})

    def console(self):
        """What the console said since the last call."""
        return [f"{entry['level']}: {entry['message']}" for entry in self.call("POST", "/se/log", {"type": "browser"})]

    def screenshot(self, path):
        import base64
        with open(path, "wb") as f:
            f.write(base64.b64decode(self.call("GET", "/screenshot")))
