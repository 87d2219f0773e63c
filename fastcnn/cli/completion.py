"""``fastcnn completion``: the script that teaches a shell to complete fastcnn's commands and options."""

import click


@click.command("completion", short_help="Print a script for your shell's completion.")
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def command(shell: str) -> None:
    """Print the script that completes fastcnn's commands, options and names in a shell.

    \b
    bash   fastcnn completion bash >> ~/.bashrc
    zsh    fastcnn completion zsh >> ~/.zshrc
    fish   fastcnn completion fish > ~/.config/fish/completions/fastcnn.fish
    """  # noqa: D301  (click reads the backspace)
    from click.shell_completion import get_completion_class

    from fastcnn.cli import cli

    kind = get_completion_class(shell)
    assert kind is not None  # of the three that click knows
    click.echo(kind(cli, {}, "fastcnn", "_FASTCNN_COMPLETE").source())
