"""python -m infra.lists: print connorg/core/policy/lists.py as the installed packages have it."""

from infra.lists.generated import module

if __name__ == "__main__":
    print(module(), end="")  # noqa: T201
