#!/usr/bin/env python3
"""Runs every command of a page of the documentation and compares what it prints with what the page says.

usage: docs_test.py RICCI SOURCE_DIR PAGE.md...

A line `    $ command` is run in an empty folder that has examples/ and the programs the page shows (`# NAME.ricci` first); the lines after it are its
output, those marked `!` its stderr. `...` stands for any text in a line, or alone for any lines. Three spaces begin a remark.
"""
import os
import re
import subprocess
import sys
import tempfile


def blocks(page):
    """Indented blocks, unindented."""
    block = []
    for line in page.split("\n") + [""]:
        if line.startswith("    "):
            block.append(line[4:])
        elif line.strip() == "" and block:
            block.append("")
        elif block:
            yield block
            block = []


def commands(block):
    """(command, expected lines) pairs of a block."""
    found, continued = [], False
    for line in block:
        if continued:
            found[-1][0] += " " + line.strip().rstrip("\\")
            continued = line.endswith("\\")
        elif line.startswith("$ "):
            continued = line.endswith("\\")
            found.append([re.sub(r"\s{3,}.*", "", line[2:].rstrip("\\")), []])
        elif found and line != "":
            found[-1][1].append(line)
    return found


def pattern(lines):
    parts = [r"(?:.*\n)*?" if l.strip() == "..." else re.escape(l).replace(r"\.\.\.", ".*") + r"\n" for l in lines]
    return re.compile("".join(parts) + r"\Z")


def check(command, expected, ricci, folder):
    env = dict(os.environ, PATH=os.path.dirname(ricci) + os.pathsep + os.environ["PATH"], NO_COLOR="1")
    run = subprocess.run(["bash", "-c", command], cwd=folder, env=env, capture_output=True, text=True, timeout=120)
    out = [l for l in expected if not l.startswith("! ")]
    err = [l[2:] for l in expected if l.startswith("! ")]
    if run.returncode not in (0, 1):
        return f"exit code {run.returncode}: {run.stderr}"
    if out and not pattern(out).match(run.stdout):
        return "stdout was\n" + run.stdout + run.stderr
    if any(l not in run.stderr for l in err):
        return "stderr was\n" + run.stderr
    if not expected and run.returncode != 0:
        return run.stderr
    return None


def main():
    ricci, source, pages = sys.argv[1], sys.argv[2], sys.argv[3:]
    ran = failed = 0
    with tempfile.TemporaryDirectory() as folder:
        os.symlink(os.path.join(source, "examples"), os.path.join(folder, "examples"))
        os.mkdir(os.path.join(folder, "results"))
        for page in pages:
            for block in blocks(open(page, encoding="utf-8").read()):
                program = re.match(r"# (\w+\.ricci)$", block[0])
                if program:
                    with open(os.path.join(folder, program[1]), "w", encoding="utf-8") as f:
                        f.write("\n".join(block) + "\n")
                for command, expected in commands(block):
                    ran += 1
                    problem = check(command, expected, ricci, folder)
                    if problem:
                        failed += 1
                        print(f"{os.path.basename(page)}: $ {command}\n  expected\n" + "\n".join(expected) + f"\n  {problem}")
    print(f"{ran} commands, {failed} failed")
    return 1 if failed or ran == 0 else 0


sys.exit(main())
