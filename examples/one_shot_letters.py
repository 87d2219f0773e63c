"""Characters that the network has never seen, each known by a single drawing (one-shot recognition on Omniglot).

    FASTCNN_DATA=../shared/data python examples/one_shot_letters.py        five minutes of a core; needs pillow
    ... --verification-epochs 0              one-shot accuracy 0.9450, 0.976 of pairs (seed 1; three minutes of a core)

A network learns to bring together what shows one character, and to hold the rest apart (triplet loss with semi-hard
mining), on the characters of some alphabets, turned by quarters and mirrored to make more. First it verifies: a network
learns the alphabets of one set without every fifth character; on those a threshold is chosen, with which it then tells
for pairs of drawings of alphabets that it has not seen whether they show one character. Then it recognizes: a network
that learns both sets meets the 20 trials of Lake et al.: 20 new characters, one example and one query of each; pairs of
these drawings, of alphabets that neither set has, are verified too, with the threshold of what was learned. The last
lines are the share of right answers on pairs, and of right names.
"""

import argparse
import json
import time
from pathlib import Path
from typing import Any

import numpy as np

import fastcnn as fc
from fastcnn.datasets import IdentityImages
from fastcnn.vision import identity


def trained(train: Any, dev: Any, epochs: int, told: argparse.Namespace) -> tuple[identity.Recognizer, float]:
    """Return a recognizer, and the CPU seconds that its training took."""
    began = time.process_time()
    recipe = identity.siamese_recipe(train, dev, seed=told.seed, filters=told.filters, embedding_size=told.size)
    print("; ".join(recipe.notes))
    recipe.fit(epochs, verbose=2)
    return recipe.finish(), time.process_time() - began


def drawings_of(runs: Any) -> IdentityImages:
    """Return the drawings of trials, each trial a group of its own."""
    count = len(runs[0].examples)
    labels = [count * k + one for k, run in enumerate(runs) for one in (*range(count), *run.answers.tolist())]
    images = np.concatenate([part for run in runs for part in (run.examples, run.queries)])
    names = tuple(f"trial{k}/character{one}" for k in range(len(runs)) for one in range(count))
    return IdentityImages(images, np.array(labels), names, tuple(map(str, range(len(labels)))),
                          np.repeat(np.arange(len(runs)), count), tuple(f"trial{k}" for k in range(len(runs))))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--epochs", type=int, default=10, help="of the network for one-shot trials")
    parser.add_argument("--verification-epochs", type=int, default=15)
    parser.add_argument("--characters", type=int, help="learn so many")
    parser.add_argument("--filters", type=int, default=32, help="of the first layer")
    parser.add_argument("--size", type=int, default=128, help="numbers in an embedding")
    parser.add_argument("--pairs", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--save", type=Path, help="write the recognizer of all characters to a file")
    parser.add_argument("--json", type=Path, help="write the figures to a file")
    parser.add_argument("--out", type=Path, help="draw where characters that were not learned lie; needs scikit-learn")
    told = parser.parse_args()
    data: Any = fc.datasets.load("omniglot")
    learned, whole = (part.of(part.names[: told.characters]) for part in (data.train, data.train.joined(data.test)))
    figures: dict[str, float] = {"seed": told.seed}

    if told.verification_epochs:
        train, dev = learned.held_out(5)
        recognizer, seconds = trained(train, dev, told.verification_epochs, told)
        found = recognizer.evaluate(data.test, pairs=told.pairs)
        figures |= {"verification_cpu_seconds": seconds, "threshold": recognizer.threshold, **found}
        if told.out:
            recognizer.draw(data.test.of(data.test.names[:20]), told.out)
        print(f"{told.pairs} pairs of {len(data.test.group_names)} alphabets not seen, at threshold "
              f"{recognizer.threshold:.3f}: {found['verification_accuracy']:.4f} right, "
              f"{found['verification_accuracy_in_groups']:.4f} where both are of one alphabet", flush=True)
    if told.epochs:
        recognizer, seconds = trained(whole, None, told.epochs, told)
        each = identity.one_shot_accuracy(recognizer, data.runs)
        pairs = recognizer.evaluate(drawings_of(data.runs), pairs=told.pairs)
        figures |= {"one_shot_cpu_seconds": seconds, "one_shot_accuracy": float(each.mean()),
                    "one_shot_worst": float(each.min()),
                    **{f"trials_{name}": value for name, value in pairs.items() if "verification" in name}}
        if told.save:
            recognizer.save(told.save)
        print(f"{told.pairs} pairs of the trials' drawings: {pairs['verification_accuracy']:.4f} right, "
              f"{pairs['verification_accuracy_in_groups']:.4f} where both are of one trial")
        print(f"one-shot accuracy among 20, in {len(each)} trials: {each.mean():.4f}, the worst {each.min():.2f}")
    if told.json:
        told.json.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
