"""`python -m tests.chaos --rounds 20`: the long form of the experiment."""

import argparse
import random

from tests.chaos.experiment import experiment


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=20, help="kills of each process")
    parser.add_argument("--seed", type=int, default=None, help="repeats an earlier experiment")
    given = parser.parse_args()
    seed = random.randrange(10**6) if given.seed is None else given.seed
    print(f"seed {seed}", flush=True)
    print(experiment(given.rounds, seed, lambda line: print(line, flush=True)))


if __name__ == "__main__":
    main()
