"""`python -m tests.chaos --rounds 20`: the long form of the experiments."""

import argparse
import random

from tests.chaos import alerts
from tests.chaos.experiment import experiment

ALERT_ROUNDS = 50


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=20, help="kills of each process")
    parser.add_argument("--seed", type=int, default=None, help="repeats an earlier experiment")
    parser.add_argument("--alerts-only", action="store_true", help="leave out the rest")
    given = parser.parse_args()
    seed = random.randrange(10**6) if given.seed is None else given.seed
    print(f"seed {seed}", flush=True)
    if not given.alerts_only:
        print(experiment(given.rounds, seed, _say))
    print(alerts.experiment(max(given.rounds, ALERT_ROUNDS), seed, _say))


def _say(line: str) -> None:
    print(line, flush=True)


if __name__ == "__main__":
    main()
