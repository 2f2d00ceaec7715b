"""`sojae fresh`: forgets the state of a home, and nothing else that may lie there."""

import shutil

from sojae.domain.errors import StateError
from sojae.domain.text import Text
from sojae.home import FOLDERS, HOME_VARIABLE, MARKER_NAME, MARKER_TEXT, Home, replace_file


def forget(home: Home) -> Text:
    """Remove the broker's data, store, index, logs and run.json of a home in which nothing runs; return what was done.

    A damaged marker is mended. Raises StateError when `sojae up` or `sojae broker` runs there, when the folder has no
    marker at all, so that it may be somebody else's, or when the system does not let go of a file.
    """
    marker = home.path / MARKER_NAME
    if not home.path.exists():
        return Text(
            en=f"{home.path} does not exist: nothing to forget.", ko=f"{home.path}이(가) 없어 지울 것이 없습니다."
        )
    if not marker.is_file():
        raise StateError(
            en=f"{home.path} has no {MARKER_NAME}, so it is not a state folder of Sojae: nothing was removed. Set "
            f"{HOME_VARIABLE} to the folder you mean.",
            ko=f"{home.path}에 {MARKER_NAME} 표식이 없어 Sojae의 상태 폴더가 아니므로 지우지 않았습니다. {HOME_VARIABLE}을(를) "
            "원하는 폴더로 지정하십시오.",
        )
    with home.locked("up"), home.locked("broker"):
        try:
            for folder in FOLDERS:
                if (home.path / folder).exists():
                    shutil.rmtree(home.path / folder)
            home.clear_run()
            replace_file(marker, MARKER_TEXT.encode())
        except OSError as exc:
            raise StateError(
                en=f"{exc.filename or home.path} cannot be removed ({exc.strerror}).",
                ko=f"{exc.filename or home.path}을(를) 지울 수 없습니다({exc.strerror}).",
            ) from exc
    return Text(en=f"{home.path} is empty again.", ko=f"{home.path}을(를) 비웠습니다.")
