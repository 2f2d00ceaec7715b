"""The part of the `sojae` command that belongs to the trainer."""

import importlib
from types import ModuleType

import rich_click as click

from sojae.cli.running import language
from sojae.domain.card_lines import five_lines
from sojae.domain.errors import ServiceError, UserInputError
from sojae.settings import read
from sojae.surroundings import Surroundings
from sojae_trainer.settings import TrainerSettings


@click.command("train")
@click.option("--once", is_flag=True, help="Train now and end. / 지금 한 번 학습하고 끝냅니다.")
@click.option("--project", help="Only this project; default: every project with enough property records.")
@click.option("--holdout", type=float, metavar="SHARE", help="Keep this share of the records out, in whole groups.")
@click.option(
    "--holdout-by",
    default="row",
    metavar="GROUP",
    show_default=True,
    help="What makes a group: row, header.<field> or <stage>.<field>.",
)
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Seed of the hold-out.")
def train(*, once: bool, project: str | None, holdout: float | None, holdout_by: str, seed: int) -> None:
    """Train models from the store and put them on the shelf. / 저장소의 자료로 모델을 학습합니다.

    Without --once it goes on for ever and trains a project whenever enough new records have come.
    """
    if not once:
        if project is not None or holdout is not None:
            raise UserInputError(
                en="--project and --holdout need --once", ko="--project와 --holdout은 --once와 함께 쓰십시오"
            )
        _part("sojae_trainer.__main__").main()
        return
    workshop = _part("sojae_trainer.app").workshop(Surroundings.read(), read(TrainerSettings))
    request = None
    if holdout is not None:
        request = _part("sojae_trainer.grouping").HoldoutRequest(share=holdout, by=holdout_by, seed=seed)
    for name in [project] if project is not None else workshop.trainable():
        published = workshop.train(name, request)
        click.echo(f"{name} {published.manifest.version}")
        for line in five_lines(published.card):
            click.echo(f"  {line[language()]}")


def _part(name: str) -> ModuleType:
    """Return a module of the training stack; raises ServiceError when the extra is not installed.

    Imported only here: scikit-learn and onnx take a second, and every `sojae` command would pay for them.
    """
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        raise ServiceError(
            en=f"{error.name} is not installed; install the training stack with `pip install 'sojae[train]'`",
            ko=f"{error.name}이(가) 설치되어 있지 않습니다. `pip install 'sojae[train]'`로 학습 도구를 설치하십시오",
        ) from error


commands = [train]
