"""The patch series as files: reading it, applying one patch, and telling why one does not apply.

Called by tree.py (prepare) and refresh.py. A patch is a mail as `git format-patch` writes it, or a bare diff.
"""

from __future__ import annotations

import pathlib
import re
import tempfile

import common
import git


def read(folder: pathlib.Path = common.PATCHES) -> list[pathlib.Path]:
    """The patches that the file `series` names, in its order. No such file: no patches."""
    listing = folder / "series"
    if not listing.exists():
        return []
    found = []
    for number, text in enumerate(listing.read_text().splitlines(), 1):
        name = text.partition("#")[0].strip()
        if not name:
            continue
        if not (folder / name).is_file():
            raise common.Failure(f"{listing}:{number}: there is no {folder / name}",
                                 "add the patch, or take its line out of the series")
        found.append(folder / name)
    return found


def commit(index: git.Repo, parent: str, patch: pathlib.Path) -> str:
    """Applies `patch` to the index, which holds `parent`, and commits it; returns the commit."""
    done = index.run("apply", "--cached", "--whitespace=nowarn", patch, check=False)
    if done.returncode != 0:
        raise common.Failure(_why_not(index, patch, done.stderr),
                             f"mend {patch}, or take it out of {patch.parent / 'series'}")
    name, mail, date, message = _header(index, patch)
    return index.commit_tree(index.out("write-tree"), parent, message, name=name, mail=mail, date=date)


def _header(index: git.Repo, patch: pathlib.Path) -> tuple[str, str, str, str]:
    """Author, mail, date and message of a patch. A bare diff is named after its file."""
    with tempfile.TemporaryDirectory() as folder:
        body = pathlib.Path(folder, "body")
        fields = index.run("mailinfo", "-b", "--encoding=UTF-8", body, pathlib.Path(folder, "diff"),
                           input_text=patch.read_text(errors="surrogateescape")).stdout
        text = body.read_text()
    values = dict(re.findall(r"^(Author|Email|Subject|Date): (.*)$", fields, re.MULTILINE))
    subject = re.sub(r"^\[PATCH[^\]]*\] *", "", values.get("Subject", "")) or re.sub(r"^\d+-", "", patch.stem)
    message = f"{subject}\n\n{text.strip()}\n" if text.strip() else f"{subject}\n"
    return (values.get("Author") or git.NOBODY, values.get("Email") or git.NOBODY_MAIL,
            values.get("Date") or git.EPOCH, message)


def _why_not(index: git.Repo, patch: pathlib.Path, stderr: str) -> str:
    """The patch, the files, and the hunks that git rejects."""
    paths = sorted(set(re.findall(r"^error: (?:patch failed: )?([^\s:]+?)(?::\d+|:.*)?$", stderr, re.MULTILINE)))
    text = f"patch {patch.name} does not apply"
    text += f" (file: {', '.join(paths)})\n" if paths else "\n"
    text += "".join(f"  {line}\n" for line in stderr.strip().splitlines())
    with tempfile.TemporaryDirectory() as folder:
        touched = re.findall(r"^--- a/(\S+)", patch.read_text(errors="replace"), re.MULTILINE)
        there = index.out("ls-files", "--", *touched).splitlines() if touched else []
        if there:
            index.run("checkout-index", f"--prefix={folder}/", "--", *there)
            # Outside of any repository, so that apply works on the files of the folder alone.
            common.run(["git", "apply", "--reject", "--whitespace=nowarn", patch.resolve()], cwd=pathlib.Path(folder),
                       check=False, env={"GIT_CEILING_DIRECTORIES": "/"})
            for reject in sorted(pathlib.Path(folder).rglob("*.rej")):
                lines = reject.read_text(errors="replace").splitlines()
                shown = lines[:80] + ([f"... {len(lines) - 80} lines more"] if len(lines) > 80 else [])
                text += f"  rejected, {reject.relative_to(folder)}:\n" + "".join(f"    {line}\n" for line in shown)
    return text.rstrip()
