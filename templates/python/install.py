"""Installs the server's packages and those that the handler's requirements.txt names, by hashes: the same bytes at every build."""

import os
import subprocess
import sys


def install(requirements, target):
    options = ["--require-hashes", "--no-cache-dir", "--no-compile", "--disable-pip-version-check", "--target", target]
    return subprocess.call([sys.executable, "-m", "pip", "install", "--quiet", *options, "-r", requirements])


def named(file):
    """Whether the file names a package, and not only comments."""
    if not os.path.exists(file):
        return False
    with open(file, encoding="utf-8") as text:
        return any(line.strip() and not line.strip().startswith("#") for line in text)


HANDLER = "function/requirements.txt"
os.makedirs("packages", exist_ok=True)
if code := install("requirements.txt", "server"):
    sys.exit(code)
if named(HANDLER) and (code := install(HANDLER, "packages")):
    print("requirements.txt has to be complete and with hashes: pip-compile --generate-hashes writes it", file=sys.stderr)
    sys.exit(code)
# What becomes a layer of the image gets one time, all of it: the same content is the same layer.
EPOCH = 1577836800
for layer in sys.argv[1:]:
    for folder, folders, files in os.walk(layer):
        for name in [*files, *folders, "."]:
            os.utime(os.path.join(folder, name), (EPOCH, EPOCH), follow_symlinks=False)
