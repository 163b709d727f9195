"""Libraries that are opened when they are needed: where they are missing, only what needs them fails, before anything is done."""

import os
import unittest

from harness import CogniTest


class Libraries(CogniTest):
    def without(self, library):
        """An environment in which this library can't be loaded."""
        folder = self.folder / "broken"
        folder.mkdir(exist_ok=True)
        (folder / library).write_text("not a library")
        return {"LD_LIBRARY_PATH": f"{folder}:{os.environ.get('LD_LIBRARY_PATH', '')}"}

    def test_without_libcurl_only_what_fetches_fails_and_says_why(self):
        broken = self.without("libcurl.so.4")
        pipeline = self.pipeline("users: {}\n")
        self.cogni("--version", env=broken, expect=0)
        self.replay(pipeline, env=broken)
        self.cogni("verify", self.output / "demo", env=broken, expect=0)
        simulator = self.simulator()
        done = self.live(pipeline, simulator, output=self.folder / "live", env=broken, expect=4)
        self.assertIn("libcurl.so.4", done.error)
        self.assertIn("mend: install libcurl", done.error)
        self.assertEqual(simulator.log(), [])
        self.assertFalse((self.folder / "live/demo/current").exists())

    def test_without_libarchive_a_run_that_makes_a_bundle_ends_before_it_fetches(self):
        broken = self.without("libarchive.so.13")
        self.replay(self.pipeline("users: {}\n"), env=broken)
        bundled = self.pipeline("users: {}\n", load="bundle: zip")
        simulator = self.simulator()
        done = self.live(bundled, simulator, output=self.folder / "live", env=broken, expect=6)
        self.assertIn("libarchive.so.13", done.error)
        self.assertIn("mend: install libarchive", done.error)
        self.assertEqual(simulator.log(), [])
        self.live(bundled, simulator, output=self.folder / "live")
        self.assertEqual(len(list((self.folder / "live/demo/current/").glob("*.zip"))), 1)


if __name__ == "__main__":
    unittest.main()
