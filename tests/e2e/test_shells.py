"""What pelt says about itself to shells and to man: completions in real shells, a manual page
without a complaint, and `make install`."""

import os
import re
import subprocess

import lib
from lib import check, equal

SKIP_BUILDS = "instrumented builds are not installed"


def options_of(*command):
    """The long options that a help names."""
    help_text = lib.pelt(*command, "--help", rc=0).out
    return sorted(set(re.findall(r"^\s+(?:-\w, )?(--[a-z0-9-]+)", help_text, re.M)))


def script(shell):
    return lib.write_file(f"pelt.{shell}", lib.pelt("--completions", shell, rc=0).out)


def ask(*argv, env=None):
    done = subprocess.run(argv, check=False, capture_output=True, text=True, timeout=60,
                          stdin=subprocess.DEVNULL, cwd=lib.temp_dir(), env=env)
    equal(done.stderr, "", f"stderr of {argv[0]}")
    return done.stdout.split("\n")[:-1]


def test_bash_completes_options_words_and_files():
    bash = lib.need_tool("bash")
    path = script("bash")
    for name in ("a file.json", "report.json"):
        lib.write_file(name, "")

    def complete(*words):
        quoted = " ".join("'" + word + "'" for word in words)
        code = (
            f"set -u; source '{path}'; COMP_WORDS=({quoted}); COMP_CWORD={len(words) - 1}; "
            'set +u; _pelt; printf "%s\\n" "${COMPREPLY[@]}"'
        )
        return sorted(line for line in ask(bash, "--norc", "-c", code) if line)

    equal(complete("pelt", "-"), options_of(), "all options")
    equal(complete("pelt", "--conn"), ["--connect-rate", "--connect-timeout", "--connections"], "a beginning")
    equal(complete("pelt", "-c", "10", "--jso"), ["--json"], "after others")
    equal(complete("pelt", "--io", ""), ["auto", "epoll", "uring"], "words")
    equal(complete("pelt", "--io", "u"), ["uring"], "the beginning of a word")
    equal(complete("pelt", "--io", "="), ["auto", "epoll", "uring"], "behind =")
    equal(complete("pelt", "--io", "=", "e"), ["epoll"], "a beginning behind =")
    equal(complete("pelt", "--json", "re"), ["report.json"], "files")
    equal(complete("pelt", "--json", "a"), ["a file.json"], "a file with a space")
    equal(complete("pelt", "-c", ""), [], "of a number")
    equal(complete("pelt", ""), ["check", "serve", "try"], "the commands")
    equal(complete("pelt", "s"), ["serve"], "a command")
    equal(complete("pelt", "check", "re"), ["report.json"], "a file to check")
    equal(complete("pelt", "try", "re"), ["report.json"], "a file to try")
    equal(complete("pelt", "try", "--"), options_of("try"), "options of try")
    equal(complete("pelt", "try", "-f", "j"), ["json"], "words of try")
    equal(complete("pelt", "check", "--"), options_of("check"), "options of check")
    equal(complete("pelt", "check", "--format", "j"), ["json"], "words of check")
    equal(complete("pelt", "-c", "1", "s"), [], "the command elsewhere")
    equal(complete("pelt", "serve", "--"), options_of("serve"), "options of serve")
    equal(complete("pelt", "serve", "--log-ids", "re"), ["report.json"], "files of serve")
    registered = ask(bash, "--norc", "-c", f"source '{path}'; complete -p pelt")
    equal(registered, ["complete -F _pelt pelt"], "registered")


def test_fish_completes_options_words_and_files():
    fish = lib.need_tool("fish")
    path = script("fish")
    lib.write_file("report.json", "")
    env = {**os.environ, "HOME": lib.temp_dir(), "XDG_CONFIG_HOME": lib.temp_dir()}

    def complete(line):
        code = f"source '{path}'; complete -C '{line}'"
        return sorted(answer.split("\t")[0] for answer in ask(fish, "-N", "-c", code, env=env))

    equal([o for o in complete("pelt --") if o.startswith("--")], options_of(), "all options")
    check("serve" in complete("pelt s"), "the command:", complete("pelt s"))
    equal(complete("pelt --io "), ["auto", "epoll", "uring"], "words")
    equal(complete("pelt --json rep"), ["report.json"], "files")
    equal(complete("pelt -c "), [], "of a number")
    for command in ("serve", "check", "try"):
        got = [name for name in complete(f"pelt {command} --") if name.startswith("--")]
        equal(got, options_of(command), command)
    equal(complete("pelt check rep"), ["report.json"], "a file to check")


ZSH = """
zmodload zsh/zpty
zpty -b shell zsh -f -i
zpty -w shell "PS1=; PS2=; cd '$1'; fpath=('$1' \\$fpath); autoload -U compinit; compinit -u -d '$1/dump'"
zpty -w shell "zstyle ':completion:*' list-prompt ''; LISTMAX=10000; stty rows 500 cols 200; print -r MA'RK'"
zpty -r shell got "*MARK*" && zpty -n -w shell "$2"$'\\t\\t'
sleep $3
zpty -n -w shell $'\\C-u'"print -r EN'D'"$'\\n'
zpty -r shell got "*END*"
print -r -- "$got"
"""


@lib.seconds(120)
def test_zsh_completes_options():
    zsh = lib.need_tool("zsh")
    os.rename(script("zsh"), lib.temp_path("_pelt"))
    check(ask(zsh, "-n", lib.temp_path("_pelt")) == [], "syntax")
    path = lib.write_file("ask.zsh", ZSH)

    def complete(line, wait_s):
        argv = (zsh, "-f", path, lib.temp_dir(), line, str(wait_s))
        env = {**os.environ, "TERM": "dumb", "HOME": lib.temp_dir()}
        done = subprocess.run(argv, check=False, capture_output=True, text=True, timeout=60,
                              errors="replace", env=env, stdin=subprocess.DEVNULL)
        return done.stdout

    def expect(line, options):
        for wait_s in (2, 20):  # A busy machine may take longer.
            listed = complete(line, wait_s)
            missing = [name for name in options if not re.search(rf"{name}\b", listed)]
            check("_arguments:" not in listed, "complaints:", listed)
            if not missing:
                return
        check(not missing, "not offered:", missing, listed)

    expect("pelt --", options_of())
    expect("pelt serve --", options_of("serve"))
    expect("pelt check --", options_of("check"))


def test_the_manual_page_has_all_and_no_complaint():
    path = lib.write_file("pelt.1", lib.pelt("--man", rc=0).out)
    text = lib.read_file(path)
    plain = text.replace("\\-", "-").replace("\\fB", "").replace("\\fR", "")
    for option in options_of() + options_of("serve") + options_of("check") + options_of("try"):
        check(re.search(rf"^(-\w, )?{option}\b", plain, re.M), f"{option} is not there")
    for line in text.split("\n"):
        check(len(line) <= 200 and line == line.rstrip(), "a line:", line)
    tried = 0
    try:
        mandoc = lib.need_tool("mandoc")
        done = subprocess.run((mandoc, "-Tlint", "-W", "warning", path), check=False,
                              capture_output=True, text=True, timeout=60)
        equal(done.stdout + done.stderr, "", "mandoc -Tlint")
        tried += 1
    except lib.Skip:
        pass
    try:
        man = lib.need_tool("man")
        argv = (man, "--warnings", "-E", "UTF-8", "-l", "-Tutf8", "-Z", path)
        env = {**os.environ, "LC_ALL": "C.UTF-8", "MANROFFSEQ": "", "MANWIDTH": "80"}
        done = subprocess.run(argv, check=False, capture_output=True, text=True, timeout=60,
                              env=env, errors="replace")
        equal((done.returncode, done.stderr), (0, ""), "man --warnings")
        tried += 1
    except lib.Skip:
        pass
    if not tried:
        raise lib.Skip("there is neither man nor mandoc")


def test_what_pelt_says_about_itself_needs_no_url_and_starts_nothing():
    for args in (("--man",), ("--completions", "bash"), ("-c", 3, "--completions=zsh", "--no-such")):
        check(lib.pelt(*args, rc=0).out, "says nothing:", args)
    run = lib.pelt("--completions", "tcsh", rc=64)
    check("bash, zsh, fish" in run.err, "does not name the shells:", run)
    with open("/dev/full", "wb") as full:
        lib.pelt("--man", stdout=full, rc=74)


def test_install_and_uninstall():
    make = lib.need_tool("make")
    if lib.INSTRUMENTED:
        raise lib.Skip(SKIP_BUILDS)
    root = lib.temp_path("root")
    argv = (make, "-s", "-o", "all", f"BIN={lib.PELT}", f"DESTDIR={root}", "PREFIX=/usr")

    def run(target):
        env = {key: value for key, value in os.environ.items() if not key.startswith("MAKE")}
        done = subprocess.run((*argv, target), check=False, capture_output=True, text=True,
                              cwd=lib.ROOT, timeout=60, env=env)
        check(done.returncode == 0, f"make {target}:", done.stdout, done.stderr)
        return sorted(
            os.path.relpath(os.path.join(where, name), root)
            for where, _, names in os.walk(root)
            for name in names
        )

    wanted = [
        "usr/bin/pelt",
        "usr/share/bash-completion/completions/pelt",
        "usr/share/fish/vendor_completions.d/pelt.fish",
        "usr/share/man/man1/pelt.1",
        "usr/share/zsh/site-functions/_pelt",
    ]
    equal(run("install"), wanted, "installed")
    for path in wanted:
        check(os.path.getsize(os.path.join(root, path)) > 100, "empty:", path)
    check(os.access(os.path.join(root, wanted[0]), os.X_OK), "not executable")
    equal(run("uninstall"), [], "left behind")
