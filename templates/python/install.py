"""Installs what the handler's requirements.txt names, by hashes: the same bytes at every build. Where it needs nothing, pip is not needed."""

import os
import subprocess
import sys

os.makedirs("packages", exist_ok=True)
FILE = "function/requirements.txt"
lines = open(FILE, encoding="utf-8").read().splitlines() if os.path.exists(FILE) else []
if any(line.strip() and not line.strip().startswith("#") for line in lines):
    options = ["--require-hashes", "--no-cache-dir", "--no-compile", "--disable-pip-version-check", "--target", "packages"]
    code = subprocess.call([sys.executable, "-m", "pip", "install", *options, "-r", FILE])
    if code:
        print("requirements.txt has to be complete and with hashes: pip-compile --generate-hashes writes it", file=sys.stderr)
        sys.exit(code)
# What becomes a layer of the image gets one time, all of it: the same content is the same layer.
EPOCH = 1577836800
for layer in sys.argv[1:]:
    for folder, folders, files in os.walk(layer):
        for name in [*files, *folders, "."]:
            os.utime(os.path.join(folder, name), (EPOCH, EPOCH), follow_symlinks=False)
