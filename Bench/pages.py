"""The rows of a made-up hourly usage report: seeded, so that everyone measures the same bytes."""
import json
import random
import string

START = 1760918400  # 2025-10-20T00:00:00Z
MODELS = ["gpt-5-2026-01-15", "gpt-5-mini-2026-01-15", "gpt-4.1-2025-04-14", "o3-2025-04-16", "o4-mini-2025-04-16"]
TIERS = ["default", "priority", "flex"]


class Report:
    """Rows of one organization: who used which model, how much of it is drawn anew for every bucket."""

    def __init__(self, rows_a_bucket, seed=20261123):
        self.dice = random.Random(seed)
        letters = string.ascii_letters + string.digits
        name = lambda prefix, length: prefix + "".join(self.dice.choices(letters, k=length))
        projects = [name("proj_", 24) for _ in range(40)]
        users = [name("user-", 24) for _ in range(300)]
        keys = [name("key_", 16) for _ in range(800)]
        places = set()
        while len(places) < rows_a_bucket:
            places.add((self.dice.choice(projects), self.dice.choice(users), self.dice.choice(keys),
                        self.dice.choice(MODELS), self.dice.random() < 0.1, self.dice.choice(TIERS)))
        self.places = sorted(places)
        self.dice.shuffle(self.places)

    def rows(self):
        """One bucket's rows; two in a hundred come twice."""
        rows = []
        for project, user, key, model, batch, tier in self.places:
            tokens = int(self.dice.expovariate(1 / 20000))
            rows.append({
                "object": "organization.usage.completions.result", "input_tokens": tokens,
                "output_tokens": int(tokens * self.dice.random() / 2), "input_cached_tokens": tokens // 3,
                "input_audio_tokens": 0, "output_audio_tokens": 0, "num_model_requests": 1 + tokens // 900,
                "project_id": project, "user_id": user, "api_key_id": key, "model": model, "batch": batch,
                "service_tier": tier})
            if self.dice.random() < 0.02:
                rows.append(rows[-1])
        return rows


def compact(value):
    return json.dumps(value, separators=(",", ":"))
