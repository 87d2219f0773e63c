"""The Python on the pages of the site, and in the README, runs as it stands there."""

import click
import pytest

from tests.docs.pages import DOCS, ROOT, blocks, commands

PAGES = sorted(path for path in [ROOT / "README.md", *DOCS.rglob("*.md")] if any(not why for *_, why in blocks(path)))


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch, capsys):
    """Files that a page writes land in a folder of its own."""
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.stem)
def test_the_blocks_of_a_page_run_one_after_the_other(page):
    space = {"__name__": "page"}
    for line, code, why in blocks(page):
        if not why:
            exec(compile("\n" * line + code, str(page), "exec"), space)  # errors tell the line of the page


def test_a_block_that_is_left_out_says_why():
    left_out = {(path.name, why) for path in DOCS.rglob("*.md") for *_, why in blocks(path) if why}
    assert {name for name, _ in left_out} == {"coming-from-keras.md", "gpu.md", "saving.md"}
    assert all(why.startswith("it needs ") for _, why in left_out)


def test_commands_and_options_that_pages_name_are_there():
    from fastcnn.cli import COMMANDS, cli

    named = [words[1:] for path in (ROOT / "README.md", *DOCS.rglob("*.md")) for words in commands(path)]
    assert {words[0] for words in named} >= set(COMMANDS)
    for words in named:
        if words[0].startswith("-") or words[0] == "COMMAND":
            continue
        command = cli.get_command(None, words[0])
        assert command is not None, words
        if isinstance(command, click.Group):
            command = command.get_command(None, words[1])
            assert command is not None, words
        options = {option for one in command.params for option in (*one.opts, *one.secondary_opts)} | {"--help", "-h"}
        assert {word for word in words if word.startswith("-")} <= options, words


def test_blocks_are_found_with_their_lines_and_reasons(tmp_path):
    page = tmp_path / "page.md"
    page.write_text("# A\n\n```python\na = 1\n```\n\n<!-- not run: it needs b -->\n```python\nb\n```\n```sh\nls\n```\n")
    assert blocks(page) == [(3, "a = 1\n", ""), (8, "b\n", "it needs b")]
