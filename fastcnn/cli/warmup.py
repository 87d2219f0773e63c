"""``fastcnn warmup``: compile ahead what training will need."""

import click

from fastcnn.cli._options import MODELS
from fastcnn.cli._values import Name

#: Those that most trainings use; the others have kernels that compile in a second.
_OPTIMIZERS = ("sgd", "momentum", "nesterov", "adam")
_BATCH, _FILLING = 8, 16  # images; and of a batch that fills the lanes of the widest vectors, for which kernels differ


@click.command("warmup", short_help="Compile the kernels ahead.")
@click.argument("models", metavar="[MODEL]...", nargs=-1, type=Name("model", MODELS))
def command(models: tuple[str, ...]) -> None:
    """Compile the kernels that training, testing and predicting need, so that the first run need not wait.

    Really trains each model (all of them by default) for a step on a few random images, and tells how many kernels were
    compiled and how many came from the cache: see `fastcnn doctor` for its folder.
    """
    import time

    import numpy as np

    from fastcnn import applications, optimizers
    from fastcnn.cli._compiling import Compiling
    from fastcnn.cli._console import make_console
    from fastcnn.kernels.cpu.compile import cache
    from fastcnn.kernels.cpu.compile.policy import registry

    console, begin = make_console(), time.perf_counter()
    rng = np.random.default_rng(0)
    compiled = 0
    for name in models or MODELS:
        with Compiling(console, name) as compiling:
            network = applications.by_name[name]()
            x = rng.random((_FILLING, *network.input_shape[1:]), np.float32)
            y = np.arange(_FILLING) % 8
            for optimizer in _OPTIMIZERS:
                network.compile(optimizers.get(optimizer), loss="sparse_categorical_crossentropy", metrics=["accuracy"])
                network.fit(x[:_BATCH], y[:_BATCH], batch_size=_BATCH, epochs=1, verbose=0)
            network.fit(x, y, batch_size=_FILLING, epochs=1, verbose=0)
            for batch in (_BATCH, _FILLING):
                network.evaluate(x[:batch], y[:batch], batch_size=batch, verbose=0)
                network.predict((255 * x[:batch]).astype(np.uint8), batch_size=batch, verbose=0)
        compiled += compiling.count
        console.print(f"{name} is ready")
    cached = sum(sum(dispatcher.stats.cache_hits.values()) for dispatcher in registry.values())
    console.print(
        f"{compiled} kernels compiled, {cached} came from the cache {cache.folder()}, "
        f"in {time.perf_counter() - begin:.1f} s"
    )
