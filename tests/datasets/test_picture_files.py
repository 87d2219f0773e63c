"""Pictures that stay files: the same data set, the same bits of a training, and what is wrong is told by its path."""

import contextlib
import os
import threading

import numpy as np
import pytest

import fastcnn as fc
from fastcnn import datasets, layers
from fastcnn.array_data import Data
from fastcnn.data.mapped_rows import MappedRows
from fastcnn.errors import ArgumentError, DataError
from tests.datasets.test_own import write_pictures
from tests.datasets.test_packed import assert_equal
from tests.datasets.test_pictures import of_many_sizes

Image = pytest.importorskip("PIL.Image", reason="needs the extra fastcnn[image]")


def read_whole(data):
    """The data set with its pictures in arrays."""
    import dataclasses

    return dataclasses.replace(data, **{name: np.asarray(x) for name in ("x_train", "x_test", "x_dev")
                                        if (x := getattr(data, name)) is not None})


def threads_of_a_loader():
    return [thread for thread in threading.enumerate() if thread.name.startswith("fastcnn-ahead")]


@pytest.fixture
def folder(tmp_path):
    of_many_sizes(tmp_path / "pictures", count=6)
    return tmp_path / "pictures"


@pytest.mark.parametrize("parts", [False, True])
@pytest.mark.parametrize("mode", ["L", "RGB", "I;16", "mixed"])
def test_pictures_that_stay_files_are_those_in_memory(tmp_path, mode, parts):
    for part in ("train", "val", "test") if parts else ("",):
        for k, name in enumerate(("cat", "dog")):
            if mode == "I;16":
                (tmp_path / part / name).mkdir(parents=True)
                for i in range(5):
                    wide = np.random.default_rng(i).integers(0, 4000, (6, 7), dtype=np.uint16)
                    Image.fromarray(wide).save(tmp_path / part / name / f"{i}.png")
            else:
                write_pictures(tmp_path / part, 5, mode=("L", "RGB")[k] if mode == "mixed" else mode, classes=[name],
                               seed=k)
    data = datasets.load(tmp_path, in_memory=False)
    assert isinstance(data.x_train, MappedRows)
    assert_equal(read_whole(data), datasets.load(tmp_path))


@pytest.mark.parametrize("channels", [None, 1, 3])
def test_pictures_of_many_sizes_stay_files_too_and_damaged_ones_are_skipped_and_listed(folder, channels):
    (folder / "cat" / "3.png").write_bytes(b"no picture")
    given = {"image_size": (9, 7), "fit": "pad", "channels": channels, "skip_damaged": True}
    data = datasets.load(folder, in_memory=False, **given)
    assert_equal(read_whole(data), datasets.load(folder, **given))
    assert "cat/3.png" in data.notes[0]


@pytest.mark.parametrize("place", range(6))
def test_a_damaged_picture_is_named_wherever_it_is_before_anything_is_trained(folder, place):
    (folder / "dog" / f"{place}.png").write_bytes((folder / "dog" / f"{place}.png").read_bytes()[:-30])
    with pytest.raises(DataError, match=f"dog.{place}.png: expected a whole picture"):
        datasets.load(folder, image_size=(9, 7), in_memory=False)


def network():
    fc.utils.set_random_seed(2)
    model = fc.Sequential([layers.Conv2D(3, 3, activation="relu"), layers.GlobalAveragePooling2D(),
                           layers.Dense(2, activation="softmax")])
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


@pytest.mark.parametrize("augmented", [False, True])
def test_training_on_files_has_the_bits_of_training_on_arrays_from_any_number_of_threads(folder, augmented,
                                                                                         two_threads):
    pipeline = fc.augmentation.Pipeline([layers.RandomFlip(), layers.RandomTranslation(0.2, 0.2)], 3, 120, 60)
    how = {"augmentation": pipeline} if augmented else {}
    found = []
    for threads, in_memory in ((2, True), (1, False), (2, False)):
        two_threads(threads)
        data, model = datasets.load(folder, image_size=(8, 8), in_memory=in_memory), network()
        history = model.fit(data.x_train, data.y_train, batch_size=3, epochs=2, verbose=0, validation_split=0.25, **how)
        found.append((history.history, model.predict(data.x_test, **how).tobytes(),
                      model.evaluate(data.x_test, data.y_test, **how)))
    assert found[0] == found[1] == found[2]
    assert not threads_of_a_loader()


def gone(file):
    file.unlink()


def torn(file):
    state = os.stat(file)
    file.write_bytes(bytes(state.st_size))
    os.utime(file, ns=(state.st_atime_ns, state.st_mtime_ns))


def replaced(file):
    Image.new("RGB", (50, 60)).save(file)


@pytest.mark.parametrize(("change", "told"), [
    (gone, "expected the picture that was there when the data set was loaded, got none"),
    (replaced, "expected the picture that was there when the data set was loaded, got another one"),
    (torn, "expected a picture, got a file of another or an unknown kind"),
])
def test_a_file_that_changes_while_training_runs_is_named_and_ends_it(folder, change, told):
    data, model = datasets.load(folder, image_size=(8, 8), in_memory=False), network()
    later = lambda epoch, logs: change(folder / "dog" / "3.png") if epoch == 0 else None
    with pytest.raises(DataError, match=rf"dog.3.png: {told}"):
        model.fit(data.x_train, data.y_train, batch_size=3, epochs=3, verbose=0,
                  callbacks=fc.callbacks.LambdaCallback(on_epoch_end=later))
    assert len(model.history.epoch) == 1
    assert not threads_of_a_loader()


@pytest.mark.parametrize("error", [KeyboardInterrupt, ValueError, None])
def test_no_thread_is_left_however_a_training_ends(folder, error, two_threads):
    two_threads(2)
    data, model, seen = datasets.load(folder, image_size=(8, 8), in_memory=False), network(), []

    def end(batch, logs):
        seen.append(len(threads_of_a_loader()))
        if batch == 1 and error is not None:
            raise error
        model.stop_training = model.stop_evaluating = batch == 1

    expected = contextlib.nullcontext() if error is None else pytest.raises(error)
    with expected as kept:  # the traceback, which is kept, knows the generator of batches
        model.fit(data.x_train, data.y_train, batch_size=2, epochs=3, verbose=0,
                  callbacks=fc.callbacks.LambdaCallback(on_train_batch_end=end))
    assert max(seen) >= 1
    assert not threads_of_a_loader()
    expected = contextlib.nullcontext() if error is None else pytest.raises(error)
    with expected as kept:
        model.evaluate(data.x_train, data.y_train, batch_size=2,
                       callbacks=fc.callbacks.LambdaCallback(on_test_batch_end=end))
    assert not threads_of_a_loader()
    del kept


def test_what_stays_files_is_told_apart_by_names_sizes_and_how_pictures_are_made(folder):
    def digest(**how):
        data = datasets.load(folder, in_memory=False, **how)
        return Data([data.x_train], [data.y_train], [(None, *data.x_train.shape[1:])], np.dtype("f4"), "fit").digest()

    first = digest(image_size=(8, 8))
    assert digest(image_size=(8, 8)) == first
    os.utime(folder / "dog" / "3.png", (1, 1))  # as in a copy on another machine
    assert digest(image_size=(8, 8)) == first
    others = {digest(image_size=(8, 8), fit="pad"), digest(image_size=(8, 9))}
    replaced(folder / "dog" / "3.png")
    assert len({first, *others, digest(image_size=(8, 8))}) == 4


def test_only_pictures_can_stay_files(tmp_path):
    with pytest.raises(ArgumentError, match="in_memory=False with a folder of pictures or a table alone, got digits"):
        datasets.load("digits", in_memory=False)
    np.savez(tmp_path / "a.npz", x=np.zeros((20, 4, 4), np.uint8), y=np.arange(20) % 2)
    with pytest.raises(ArgumentError, match="what fastcnn data pack has written, which stays on the"):
        datasets.load(tmp_path / "a.npz", in_memory=False)


def test_a_training_on_files_goes_on_where_it_was_killed(folder, tmp_path):
    pipeline = fc.augmentation.Pipeline([layers.RandomFlip()], 3, 120, 60)

    def trained(*more):
        data, model = datasets.load(folder, image_size=(8, 8), in_memory=False), network()
        history = model.fit(data.x_train, data.y_train, batch_size=3, epochs=2, verbose=0, augmentation=pipeline,
                            callbacks=list(more))
        return history.history, [one.tobytes() for one in model.get_weights()]

    def killed(batch, logs):
        if batch == 2:
            raise KeyboardInterrupt

    keep = lambda: fc.callbacks.BackupAndRestore(tmp_path / "backup", save_freq=1)
    with pytest.raises(KeyboardInterrupt):
        trained(keep(), fc.callbacks.LambdaCallback(on_train_batch_begin=killed))
    assert trained(keep()) == trained()
