"""A network that sees before its first step: what the training of a run asks of it, answered by its recipe."""

from pathlib import Path
from typing import Any, NamedTuple

from fastcnn.cli._augmentation import make_pipeline
from fastcnn.cli._config import Config
from fastcnn.cli._data import Standard
from fastcnn.cli._seeing.asked import recipe_settings
from fastcnn.cli._seeing.found import drawn
from fastcnn.cli._seeing.recipes import RECIPES, defaults_of, made
from fastcnn.cli._seeing.scores import SeenScore, score_of

_HELD_OUT = 16  # pictures of dev at a time


class RecipeLearner(NamedTuple):
    """What is trained by a recipe: a `Learner`.

    Attributes
    ----------
    recipe : fastcnn.vision.Recipe
    task : str
    names : tuple of str
        Of the classes.
    """

    recipe: Any
    task: str
    names: tuple[str, ...]

    @property
    def model(self) -> Any:
        """As `Learner.model`."""
        return self.recipe.model

    @property
    def network(self) -> Any:
        """As `Learner.network`."""
        return self.recipe.model

    @property
    def callbacks(self) -> tuple[Any, ...]:
        """As `Learner.callbacks`."""
        return tuple(self.recipe.callbacks)

    @property
    def notes(self) -> tuple[str, ...]:
        """As `Learner.notes`."""
        return tuple(self.recipe.notes)

    def fitted(self, parts: dict[str, Any], config: Config) -> dict[str, Any]:
        """As `Learner.fitted`."""
        size = self.recipe.batch_size
        return {**self.recipe.data(), "validation_batch_size": None if size is None else max(size, _HELD_OUT)}

    def called(self, sample: int, parts: dict[str, Any]) -> str:
        """As `Learner.called`."""
        return self.recipe.samples[sample] if self.recipe.samples else f"sample {sample}"

    def save(self, path: Path, known: bool = True) -> None:
        """As `Learner.save`."""
        from fastcnn import saving

        if known:
            self.recipe.finish().save(path)
        else:
            saving.save_model(self.model, path)

    def trained_in(self, path: Path) -> "RecipeLearner":
        """As `Learner.trained_in`."""
        from fastcnn import saving

        self.model.set_weights(saving.load_model(path, compile=False).get_weights())
        return self

    def decide(self, parts: dict[str, Any], config: Any, path: Path) -> None:
        """As `Learner.decide`: nothing, since `refuse` has refused it."""

    def measure(self, part: Any) -> SeenScore:
        """As `Learner.measure`."""
        return score_of(self.task, self.recipe.finish(), part.part)

    def draw(self, part: Any, folder: Path) -> list[str]:
        """As `Learner.draw`."""
        return drawn(self.task, self.recipe.finish(), part.part, folder / "found-dev.png")


def make_learner(prepared: Any, config: Config) -> RecipeLearner:
    """Return a fresh network, or that of the run to train on from, with all that a configuration asks of it.

    Parameters
    ----------
    prepared : Prepared
        With parts.
    config : Config
    """
    from fastcnn.utils import clear_session

    clear_session(free_memory=False)  # the layers of every training have the same names
    parts, name = prepared.parts, config.model
    known = defaults_of(name)
    train, dev = parts["train"].part, parts["dev"].part if "dev" in parts else None
    begun = None if prepared.begun is None else prepared.begun.thing
    channels = train.images[0].shape[2]
    pipeline = lambda: make_pipeline(config.augment, (*(config.image_size or (256, 256)), channels), Standard(), 255,
                                     config.seed)
    recipe = made(str(config.network or name), train, dev, **recipe_settings(config, known, begun, pipeline))
    return RecipeLearner(recipe, RECIPES[name].task, tuple(prepared.data.classes))
