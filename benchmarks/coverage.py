"""Claim: intervals of 95 % hold the truth about as often as they say, and where not it is told.

Cohorts are drawn from a known population (log odds of two classes, normal, 1.5 deviations apart;
30 % positive; said 1.3 times too sure) and judged in five folds or by one model. Of each metric it
is counted how often `measure` tells an interval and how often that holds the value of a million
patients. Writes `src/wholecase/evaluation/coverage.json`, which reports tell beside each interval.

    python benchmarks/coverage.py
    python benchmarks/coverage.py --draws 50 --out /tmp/coverage.json
"""

import argparse
import json
from collections import Counter
from multiprocessing import Pool
from pathlib import Path

import numpy as np
from scipy.special import expit

from wholecase.evaluation import METRICS, Scores, measure

GAP, POSITIVE, SURE, FOLDS = 1.5, 0.3, 1.3, 5
SIZES = (20, 40, 80, 160, 320, 640)
MANY = 1_000_000
OUT = Path(__file__).parents[1] / "src/wholecase/evaluation/coverage.json"


def drawn(rng: np.random.Generator, patients: int, folds: int) -> Scores:
    """Folds have their share of each class, as divisions have that are evened by class."""
    positives = round(POSITIVE * patients)
    truth = np.repeat([1, 0], [positives, patients - positives])
    score = GAP * (truth - 0.5) + rng.normal(size=patients)
    odds = np.log(POSITIVE / (1 - POSITIVE)) + GAP * score
    positive = expit(SURE * odds)
    names = tuple(map(str, range(patients)))
    judges = np.arange(patients) % folds if folds > 1 else None
    both = np.stack([1 - positive, positive], axis=1)
    return Scores(truth, both, (positive > POSITIVE).astype(np.int64), names, judges)


def population() -> dict[str, float]:
    """What a million patients say, judged by one."""
    many = drawn(np.random.default_rng(0), MANY, 1)
    fitting = {name: m for name, m in METRICS.items() if not m.several_judges_only}
    told = {name: float(metric.once(many)) for name, metric in fitting.items()}
    return told | {f"{name}_pooled": told[name] for name in ("auroc", "auprc")}


def covered(asked: tuple[int, int, int, int]) -> Counter[tuple[str, str]]:
    """By metric how often an interval was `told`, and how often it `held` the truth."""
    patients, folds, draws, seed = asked
    truth, found = TRUTH, Counter[tuple[str, str]]()
    rng = np.random.default_rng([seed, patients, folds])
    for i in range(draws):
        for name, one in measure(drawn(rng, patients, folds), repeats=1000, seed=i).items():
            if one.low is not None and one.high is not None:
                found[name, "told"] += 1
                found[name, "held"] += one.low <= truth[name] <= one.high
    return found


TRUTH = population()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--draws", type=int, default=500)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--out", type=Path, default=OUT)
    given = parser.parse_args()
    parts, table = 10, {}
    with Pool(given.workers) as pool:
        for folds in (1, FOLDS):
            sizes = table[str(folds)] = {}
            for patients in SIZES:
                share = -(-given.draws // parts)
                asked = [(patients, folds, share, seed) for seed in range(parts)]
                found: Counter[tuple[str, str]] = sum(pool.map(covered, asked), Counter())
                names = [name for name in METRICS if found[name, "told"]]
                sizes[str(patients)] = {
                    name: [found[name, "held"], found[name, "told"]] for name in names
                }
                shares = (
                    f"{name} {held / told:.3f}"
                    for name, (held, told) in sizes[str(patients)].items()
                )
                print(f"{folds} folds, {patients} patients: {', '.join(shares)}", flush=True)
    given.out.write_text(json.dumps({"draws": share * parts, "folds": table}, indent=1) + "\n")


if __name__ == "__main__":
    main()
