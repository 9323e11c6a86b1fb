#!/usr/bin/env python3
"""Print file:line for every call that is never right here, with the way out.

A line may be excused by the word `banned-ok:` and a reason in a comment on it.
"""
import pathlib
import re
import sys

BANS = [
    # call, way out, folders where it is right
    (r"strcpy|strcat|strncpy|strncat|sprintf|vsprintf|strtok", "buf_printf, arena_printf or str_*", ()),
    (r"atoi|atol|atoll", "str_to_i64", ()),
    (r"gmtime|localtime|ctime|asctime|gmtime_r|localtime_r", "os/clock.h or value's temporal functions", ("src/os/",)),
    (r"rand|srand|random|srandom|rand_r", "base/rng.h with a seed that is passed in", ()),
    (r"alloca", "an arena", ()),
    (r"system|popen", "posix_spawn with an argument vector", ()),
    (r"malloc|calloc|realloc|strdup|strndup|asprintf", "mem_alloc, an arena or a buf, so that tests can make it fail", ("src/base/mem.c",)),
    (r"time|gettimeofday|clock_gettime|clock", "the clock table of os/clock.h, so that simulation stays exact", ("src/os/",)),
    (r"getrandom|getentropy|arc4random", "the table of os/random.h", ("src/os/",)),
    (r"longjmp|setjmp", "an error that is returned", ("src/base/test.h",)),
]
# A name that stands alone, is called, and is neither a member, a declaration nor part of a longer name.
CALLS = [(re.compile(r"(?<![\w.>])(" + names + r")\s*\("), way, right) for names, way, right in BANS]
COMMENT = re.compile(r'//.*|/\*.*?\*/|"(?:\\.|[^"\\])*"')


def problems(root):
    for path in sorted((root / "src").rglob("*.[ch]")):
        name = path.relative_to(root).as_posix()
        for number, line in enumerate(path.read_text(errors="replace").splitlines(), 1):
            if "banned-ok:" in line:
                continue
            code = COMMENT.sub("", line)
            for call, way, right in CALLS:
                match = call.search(code)
                if match and not name.startswith(right or ("\0",)):
                    yield f"{name}:{number}: {match.group(1)} is banned: use {way}"


def main():
    found = list(problems(pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else ".")))
    print("\n".join(found) or "bans: ok")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
