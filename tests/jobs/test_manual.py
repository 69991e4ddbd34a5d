"""The man page and the bash completion know every verb and option that the program knows, and no other."""

import os
import re
import subprocess

from support import AKIN, SOURCE, akin, main

PAGE = os.path.join(SOURCE, "jobs", "akin.1")
VERBS = [line.split()[0] for line in akin("--help").out.splitlines() if line.startswith("  ")]


def plain(text):
    """Without roff's escapes and macros."""
    return re.sub(r"^\.\w+ ?", "", re.sub(r"\\f.|\\&|\"", "", text.replace("\\-", "-").replace("\\ ", " ")), flags=re.M)


def options_of_page(text):
    """{option: (its line, its description)} of a section of the page."""
    found = {}
    for entry in text.split(".TP\n")[1:]:
        head, _, body = entry.partition("\n")
        found[re.search(r"--([a-z0-9-]+)", plain(head)).group(1)] = (plain(head), plain(body))
    return found


def options_of_help(text):
    """{option: (its argument, its default)} of --help."""
    found = {}
    for line in re.sub(r"\n {36}", " ", text).splitlines():
        match = re.match(r"  (?:-\w, |    )--([a-z0-9-]+) ?(.*)$", line)
        if match:
            default = re.search(r" \[(.+)\]$", line)
            found[match.group(1)] = (re.split(r"\s", match.group(2))[0], default and default.group(1))
    return found


def test_the_page_lists_every_option():
    page = open(PAGE).read()
    verbs = dict(re.findall(r"^\.SS (\w+)[^\n]*\n(.*?)(?=^\.S[SH] )", page, re.M | re.S))
    common = options_of_page(re.search(r"^\.SH OPTIONS OF EVERY VERB\n(.*?)(?=^\.SH)", page, re.M | re.S).group(1))
    assert list(verbs) == VERBS, f"{list(verbs)} and {VERBS}"
    assert f'"{akin("--version").out.strip()}"' in page.splitlines()[1], "the version of the page"
    compared = 0
    for verb in VERBS:
        told = options_of_help(akin(verb, "--help").out)
        written = {**options_of_page(verbs[verb]), **common}
        assert set(told) == set(written), f"{verb}: only in one of --help and akin.1: {set(told) ^ set(written)}"
        for name, (argument, default) in told.items():
            head, body = written[name]
            assert head.rstrip().endswith(argument), f"{verb} --{name}: {head!r} and {argument!r}"
            if default:
                assert f"Default: {default}." in body.replace("\n", " "), f"{verb} --{name}: default {default} and {body!r}"
            compared += 1
    assert compared > 40, compared


def test_the_page_is_formatted_without_a_complaint():
    if subprocess.run(["which", "groff"], capture_output=True).returncode == 0:
        done = subprocess.run(["groff", "-man", "-ww", "-z", PAGE], capture_output=True, text=True)
        assert done.returncode == 0 and not done.stderr, done.stderr


def complete(*words):
    """What the completion offers for the last word."""
    script = (f"source {SOURCE}/jobs/akin.bash; COMP_WORDS=(\"$@\"); COMP_CWORD=$(($# - 1)); _akin_complete; "
              "printf '%s\\n' \"${COMPREPLY[@]}\"")
    done = subprocess.run(["bash", "-c", script, "bash", AKIN, *words], capture_output=True, text=True)
    assert done.returncode == 0 and not done.stderr, done.stderr
    return done.stdout.split()


def test_the_completion_knows_them_too():
    assert set(complete("")) == {*VERBS, "help", "--help", "--version"}
    assert complete("tra") == ["train"]
    assert "evaluate" in complete("help", "")
    for verb in VERBS:
        told = {f"--{name}" for name in options_of_help(akin(verb, "--help").out)}
        assert set(complete(verb, "--")) == told, verb
    assert complete("train", "x.nc", "--retrain", "n") == ["never"]
    assert set(complete("evaluate", "x.nc", "--label", "")) == {"category", "group"}
    assert set(complete("train", "x.nc", "--objective", "")) == {"reconstruction", "denoising", "contrastive"}


def test_the_program_is_asked_once():
    """A second completion in the same shell needs no start of the program."""
    script = (f"source {SOURCE}/jobs/akin.bash; COMP_CWORD=2; COMP_WORDS=({AKIN} train --ep); _akin_complete; "
              "COMP_WORDS[0]=/nowhere/akin; _akin_complete; printf '%s\\n' \"${COMPREPLY[@]}\"")
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True)
    assert done.stdout.split() == ["--epochs"] and not done.stderr, done


def test_a_file_completes():
    with open("some-table.nc", "w"):
        pass
    assert complete("evaluate", "some-t") == ["some-table.nc"]


main(globals())
