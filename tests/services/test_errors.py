"""The tree of errors on top of their module is the one that the classes make."""

import re

from services import errors


def drawn() -> dict[str, str]:
    """By class, the one that it is drawn below."""
    above, parents = [""], {}
    for indent, name in re.findall(r"^( *)([A-Z][a-zA-Z]+)(?: {2}|$)", errors.__doc__ or "", re.MULTILINE):
        depth = len(indent) // 2
        above[depth + 1 :] = [name]
        parents[name] = above[depth]
    return parents


def test_the_tree_of_errors_is_drawn_as_it_is():
    found = [one for one in vars(errors).values() if isinstance(one, type) and issubclass(one, Exception)]
    bases = {error.__name__: error.__base__.__name__ for error in found if error.__base__}
    assert drawn() == bases | {"NumletError": ""}
