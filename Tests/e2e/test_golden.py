"""The shipped pipelines make of the fixtures exactly what is kept in Fixtures/expected."""

import difflib
import unittest

import golden


class Golden(unittest.TestCase):
    def compare(self, pipeline):
        expected, found = golden.stored(pipeline), golden.render(pipeline)
        self.assertTrue(expected, f"Fixtures/expected/{pipeline} is empty; fill it with {golden.COMMAND}")
        differences = []
        # The archives first: their lines say what changed, the manifest only that something did.
        for name in sorted(expected.keys() | found.keys(), key=lambda name: (name.endswith("manifest.json"), name)):
            before, after = (texts.get(name, "").splitlines() for texts in (expected, found))
            lines = difflib.unified_diff(before, after, f"expected/{name}", f"found/{name}", lineterm="", n=1)
            differences += [line[:400] for line in lines]
        told = "\n".join(differences[:60])
        if differences:
            self.fail(f"{len(differences)} lines differ; if that is right: {golden.COMMAND}\n{told}")

    def test_openai_admin_is_as_expected(self):
        self.compare("openai-admin")

    def test_usage_and_costs_is_as_expected(self):
        self.compare("usage-and-costs")

    def test_security_inventory_is_as_expected(self):
        self.compare("security-inventory")


if __name__ == "__main__":
    unittest.main()
