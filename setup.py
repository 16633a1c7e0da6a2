"""Put the sample that `case-importer demo` imports into the package; all else is in pyproject.toml."""

from pathlib import Path
from shutil import copytree, ignore_patterns

from setuptools import setup
from setuptools.command.build_py import build_py


class WithSample(build_py):
    """The package as it is in the checkout, and the folders that its demo needs."""

    def run(self) -> None:
        """Copy the modules, and the sample without the scripts that made it; an editable package finds it here."""
        super().run()
        sample = Path(self.build_lib, "importer", "sandbox", "sample")
        for part in () if self.editable_mode else ("sample_data", "mappings"):
            left_out = ignore_patterns("*.py", "__pycache__", "*.report.*")
            copytree(part, sample / part, ignore=left_out, dirs_exist_ok=True)


setup(cmdclass={"build_py": WithSample})
