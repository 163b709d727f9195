"""What was typed counts: empty words are refused, and what is suggested next is about the same output, streams and times."""

import os
import re
import shlex
import shutil
import time
import unittest

from harness import FIXTURE, NOW, SINCE, CogniTest, environment

REPLAY = ["--replay", FIXTURE, "--now", NOW]


def suggested(text):
    """Every `cogni …` that a message suggests, as a shell would read it."""
    return [shlex.split(one) for one in re.findall(r"cogni [a-z][^`\n]*?(?=   |`|$)", text, re.MULTILINE)]


class EmptyWords(CogniTest):
    def test_a_list_without_a_stream_is_no_run_of_nothing(self):
        pipeline = self.pipeline("users: {}\nprojects: {}")
        for command in (["run", pipeline, *REPLAY], ["plan", pipeline], ["record", pipeline, self.folder / "new", "--replay", FIXTURE]):
            for empty in ("", ",", " , "):
                done = self.cogni(*command, "--streams", empty, expect=2)
                self.assertIn("--streams names no stream", done.error)
        self.cogni("state", "reset", pipeline, "--stream", ",", expect=2)
        self.cogni("run", pipeline, *REPLAY, "--accept-shrink", "", expect=2)
        self.assertFalse((self.folder / "new").exists())
        self.assertFalse(self.output.exists())

    def test_an_empty_output_is_not_the_folder_of_all_folders(self):
        pipeline = self.pipeline("users: {}")
        for command in (["run", pipeline, *REPLAY], ["plan", pipeline], ["check", pipeline, "--offline"], ["state", "show", pipeline], ["enable", pipeline]):
            done = self.cogni(*command, "--output", "", expect=2)
            self.assertIn("--output is empty", done.error)

    def test_times_that_hold_nothing_are_refused(self):
        pipeline = self.pipeline("costs: { since: 2025-11-01 }")
        span = ["--since", "2025-11-05", "--until", "2025-11-05"]
        for command in (["preview", pipeline, "costs", *REPLAY], ["plan", pipeline], ["record", pipeline, self.folder / "new", "--replay", FIXTURE]):
            self.assertIn("is not before", self.cogni(*command, *span, expect=2).error)

    def test_a_folder_is_no_pipeline_file(self):
        for command in (["validate"], ["run"], ["discover"]):
            done = self.cogni(*command, self.folder, expect=2)
            self.assertRegex(done.out + done.error, "can't be read: it is a folder")

    def test_a_command_that_does_not_exist_is_told_before_its_options(self):
        for words, name in ((["bogus", "--json"], "cogni bogus"), (["keys", "bogus", "--ring", "x"], "cogni keys bogus")):
            self.assertIn(f"there is no command `{name}`", self.cogni(*words, expect=2).error)
        self.assertIn('did you mean "verify"?', self.cogni("verfy", "output", "--json", expect=2).error)


class Resetting(CogniTest):
    def test_a_list_of_streams_is_forgotten_as_one(self):
        pipeline = self.pipeline("users: {}\nprojects: {}\ncosts: { since: 2025-11-01 }")
        self.replay(pipeline)
        at = ["--output", self.output]
        done = self.cogni("state", "reset", pipeline, "--stream", "users,projects", *at, expect=0)
        self.assertIn("forgot the cursors of projects, users", done.out)
        left = self.cogni("state", "show", pipeline, *at, "--json", expect=0).summary["streams"]
        self.assertEqual([one["stream"] for one in left], ["costs"])
        self.assertIn("there was nothing to forget", self.cogni("state", "reset", pipeline, "--stream", "users,projects", *at, expect=0).out)


class Suggestions(CogniTest):
    def setUp(self):
        super().setUp()
        self.file = self.pipeline("users: {}\nprojects: {}\ncosts: { since: 2025-11-01 }", file="my demo's.yaml")
        self.output = self.folder / "my output"

    def follow(self, text, expect=0, env=None):
        """Types what is suggested."""
        for words in suggested(text):
            self.assertEqual(self.cogni(*words[1:], expect=expect, env=env).code, expect)

    def test_switching_on_is_suggested_for_the_output_that_is_off(self):
        at = ["--output", self.output]
        self.replay(self.file)
        self.cogni("disable", self.file, *at, expect=0)
        done = self.cogni("run", self.file, *REPLAY, *at, expect=8)
        self.assertIn(["cogni", "enable", str(self.file), "--output", str(self.output)], suggested(done.error))
        self.follow(done.error)
        self.replay(self.file)

    def test_a_plan_suggests_the_run_that_it_planned(self):
        done = self.cogni("plan", self.file, "--streams", "costs,users", "--since", SINCE, "--until", "2025-11-20", "--now", NOW,
                          "--full-refresh", "--output", self.output, expect=0)  # fmt: skip
        wanted = ["cogni", "run", str(self.file), "--output", str(self.output), "--streams", "costs,users", "--since", SINCE, "--until", "2025-11-20",
                  "--now", NOW, "--full-refresh"]  # fmt: skip
        self.assertEqual(suggested(done.out), [wanted])

    def test_a_check_a_reset_and_a_run_suggest_what_is_about_the_same_output(self):
        at = ["--output", self.output]
        done = self.cogni("check", self.file, "--offline", "--replay", FIXTURE, *at, expect=0)
        self.assertEqual(suggested(done.out), [["cogni", "run", str(self.file), *at[:1], str(self.output), "--replay", str(FIXTURE)]])
        done = self.cogni("run", self.file, *REPLAY, *at, "--since", SINCE, expect=0)
        self.assertEqual([words[1] for words in suggested(done.error)], ["verify", "history"])
        self.follow(done.error)
        done = self.cogni("state", "reset", self.file, *at, expect=0)
        self.assertEqual(suggested(done.out), [["cogni", "plan", str(self.file), *at[:1], str(self.output)]])

    def test_a_recording_suggests_the_run_that_it_can_answer(self):
        new = self.folder / "my fixtures"
        words = ["--streams", "users,costs", "--since", SINCE, "--until", "2025-11-20"]
        done = self.cogni("record", self.file, new, "--replay", FIXTURE, "--now", NOW, *words, expect=0)
        self.assertEqual(suggested(done.out), [["cogni", "run", str(self.file), "--replay", str(new), "--output", "output/recorded", *words]])
        self.follow(done.out)

    def test_a_recording_of_nothing_leaves_no_folder_and_suggests_none(self):
        new = self.folder / "new"
        done = self.cogni("record", self.file, new, "--replay", self.folder / "nope", expect=2)
        self.assertFalse(new.exists())
        self.assertNotIn("next:", done.out)


class WrongPlaces(CogniTest):
    def test_a_check_tells_of_an_output_that_is_a_file_or_below_one(self):
        pipeline = self.pipeline("users: {}")
        (self.folder / "file").write_text("")
        (self.folder / "place").mkdir()
        (self.folder / "place/demo").write_text("")
        for place in ("place", "file", "file/deeper"):
            done = self.cogni("check", pipeline, "--offline", "--replay", FIXTURE, "--output", self.folder / place, "--json", expect=6)
            [output] = [one for one in done.summary["checks"] if one["name"] == "output"]
            self.assertEqual(output["status"], "failed", place)
            self.assertIn("is no folder", output["detail"])

    def test_a_folder_that_no_pipeline_has_worked_in_has_no_history_and_no_logs(self):
        for command in ("history", "logs"):
            self.assertIn("is no pipeline's output", self.cogni(command, self.folder, expect=2).error)

    def test_an_output_that_has_published_nothing_yet_has_both(self):
        pipeline = self.pipeline("users: {}")
        broken = self.folder / "broken"
        shutil.copytree(FIXTURE, broken)
        for page in (broken / "users").glob("*.json"):
            page.write_text("{")
        self.replay(pipeline, fixture=broken, expect=5)
        self.cogni("history", self.output / "demo", expect=0)
        self.cogni("logs", self.output / "demo", expect=0)


class Histories(CogniTest):
    def published(self):
        pipeline = self.pipeline("users: {}")
        self.replay(pipeline)
        changed = self.folder / "changed"
        shutil.copytree(FIXTURE, changed)
        for page in (changed / "users").glob("*.json"):
            page.write_text(page.read_text().replace("Ada", "Eda"))
        self.replay(pipeline, fixture=changed)
        return pipeline, self.output / "demo"

    def test_runs_and_rollbacks_stand_together_newest_first(self):
        pipeline, root = self.published()
        time.sleep(1.1)  # both are kept by the second
        self.cogni("rollback", root, "--to", "1", expect=0)
        time.sleep(1.1)
        self.replay(pipeline)
        lines = self.cogni("history", root, expect=0).out.splitlines()
        told = [re.sub(r" +", " ", re.sub(r"^(\S+Z +)+", "", line)) for line in lines if re.match(r"\d{4}-", line)]
        self.assertEqual([one.split(" ")[0] for one in told], ["unchanged", "rolled", "published", "published"], lines)
        self.assertTrue(told[1].startswith("rolled back from 2 1"), lines)

    def test_json_of_a_history_ends_like_its_text_when_current_is_lost(self):
        _, root = self.published()
        os.remove(root / "current")
        text = self.cogni("history", root, expect=6)
        done = self.cogni("history", root, "--json", expect=6)
        self.assertEqual(done.error.splitlines()[-1], text.error.splitlines()[-1])
        self.assertEqual((done.summary["current"], done.summary["generations"], len(done.summary["runs"])), (None, [1, 2], 2))

    def test_logs_of_no_run_and_of_an_unknown_stream_are_refused(self):
        _, root = self.published()
        for runs in ("0", "-5"):
            self.cogni("logs", root, f"--runs={runs}", expect=2)
        for more in ([], ["--events"], ["--events", "--json"]):
            done = self.cogni("logs", root, "--stream", "usrs", *more, expect=2)
            self.assertIn('did you mean "users"?', done.error)
        self.assertIn("stream users", self.cogni("logs", root, "--stream", "users", expect=0).out)


class Names(CogniTest):
    def test_a_switch_knows_who_turned_it_without_a_variable(self):
        import pwd

        pipeline = self.pipeline("users: {}")
        self.replay(pipeline)
        done = self.cogni("disable", pipeline, "--output", self.output, "--json", expect=0)
        self.assertNotIn("USER", environment())
        self.assertEqual(done.summary["by"], pwd.getpwuid(os.geteuid()).pw_name)


if __name__ == "__main__":
    unittest.main()
