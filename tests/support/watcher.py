"""A reader beside a test: it looks again and again, as a storefront does, until what it sees is wrong or the test ends it."""

import threading


class Watcher(threading.Thread):
    """Calls look(), which raises AssertionError where it sees something wrong, in a thread of its own."""

    def __init__(self, look, pause):
        super().__init__(daemon=True)
        self.look, self.pause, self.looks, self.wrong = look, pause, 0, None
        self.done, self.looked = threading.Event(), threading.Condition()
        self.start()

    def run(self):
        while not self.wrong and not self.done.wait(self.pause):
            try:
                self.look()
            except Exception as error:  # a reader that fails is as wrong as one that sees two tables
                self.wrong = f"{type(error).__name__}: {error}"
            with self.looked:
                self.looks += 1
                self.looked.notify_all()

    def look_now(self):
        """Returns after a look that began after this call. So what a test has just done is seen, however slow the machine is."""
        with self.looked:
            ends = self.looks + 2  # the next one to end may have begun before
            assert self.looked.wait_for(lambda: self.wrong or self.looks >= ends, 120), "the reader hangs"
        assert not self.wrong, self.wrong

    def stop(self):
        self.look_now()
        self.done.set()
        self.join(60)
