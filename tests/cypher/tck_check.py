#!/usr/bin/env python3
"""Parse and check every query of the openCypher TCK, whose folder TCK_DIR (or the second argument) names.

usage: tck_check.py CYPHER_CHECK [TCK_DIR]

A query of a scenario that expects a result, or an error at run time, must parse and check, and its canonical text must parse
again to the same canonical text. One that expects an error at compile time must be refused with the right status and, where
the table below knows it, with a message of the right kind. Prints counts and every difference. Exit code 77 (skipped)
without TCK_DIR.
"""
import collections
import os
import pathlib
import re
import subprocess
import sys

# detail of the TCK -> what the message must look like
MESSAGES = {
    "AmbiguousAggregationExpression": r"implicit grouping",
    "ColumnNameConflict": r"same name",
    "CreatingVarLength": r"Variable length relationships cannot be used",
    "DifferentColumnsInUnion": r"same return column names",
    "FloatingPointOverflow": r"floating point number is too large",
    "IntegerOverflow": r"integer is too large",
    "InvalidAggregation": r"Invalid use of aggregating function",
    "InvalidArgumentPassingMode": r"passing arguments implicitly",
    "InvalidArgumentType": r"Type mismatch|is not a valid value",
    "InvalidClauseComposition": r"Invalid combination|cannot contain any updates|WITH is required|can only be used|cannot conclude",
    "InvalidDelete": r"DELETE doesn't support",
    "InvalidNumberLiteral": r"invalid literal number",
    "InvalidNumberOfArguments": r"required number of arguments|parameters for function",
    "InvalidParameterUse": r"Parameter maps cannot be used",
    "InvalidUnicodeCharacter": r"Invalid input",
    "InvalidUnicodeLiteral": r"Unicode escape",
    "NegativeIntegerArgument": r"Must be a non-negative integer",
    "NestedAggregation": r"inside of aggregate functions",
    "NoExpressionAlias": r"must be aliased",
    "NoSingleRelationshipType": r"single relationship type",
    "NonConstantExpression": r"refer to variables|non-deterministic",
    "NoVariablesInScope": r"no variables in scope",
    "ProcedureNotFound": r"no procedure with the name",
    "RelationshipUniquenessViolation": r"same relationship variable",
    "RequiresDirectedRelationship": r"Only directed",
    "UndefinedVariable": r"not defined|introduce new variables|not possible to access|naming results implicitly",
    "UnexpectedSyntax": r"Invalid input|pattern expression should only|Failed to parse|not allowed to introduce|YIELD",
    "UnknownFunction": r"Unknown function",
    "VariableAlreadyBound": r"already declared",
    "VariableTypeConflict": r"conflicting type|Type mismatch",
}
STATUS = {"SyntaxError": ["SYNTAX"], "ProcedureError": ["PROCEDURE_NOT_FOUND"], "SemanticError": ["SYNTAX"], "TypeError": ["SYNTAX", "TYPE"], "ParameterMissing": None}
DOC = re.compile(r'^\s*"""\s*$')


class Scenario:
    def __init__(self, path, name):
        self.where, self.name = path, name
        self.steps, self.rows = [], []


def cells(line):
    parts = re.split(r"(?<!\\)\|", line.strip())[1:-1]
    return [p.strip().replace("\\|", "|") for p in parts]


def read_feature(path):
    """Scenarios with their steps: (text, doc string or None)."""
    lines = path.read_text(encoding="utf-8").splitlines()
    background, found, current, at, examples = [], [], None, 0, False
    while at < len(lines):
        line = lines[at].strip()
        at += 1
        if line.startswith("#") or not line or line.startswith("@"):
            continue
        if re.match(r"(Scenario|Scenario Outline|Background):", line):
            examples = False
            current = Scenario(path, line.split(":", 1)[1].strip())
            if line.startswith("Background"):
                current.steps = background
            else:
                found.append(current)
        elif line.startswith("Examples:"):
            examples = True
        elif examples and line.startswith("|"):
            current.rows.append(cells(line))
        elif current and re.match(r"(Given|When|Then|And|But) ", line):
            doc = None
            if at < len(lines) and DOC.match(lines[at]):
                indent = len(lines[at]) - len(lines[at].lstrip())
                end = at + 1
                while not DOC.match(lines[end]):
                    end += 1
                doc = "\n".join(l[indent:] for l in lines[at + 1 : end])
                at = end + 1
            current.steps.append((line.split(" ", 1)[1], doc))
    for scenario in found:
        scenario.steps = background + scenario.steps
    return found


def expand(scenario):
    if not scenario.rows:
        yield scenario.steps
        return
    names = scenario.rows[0]
    for row in scenario.rows[1:]:
        def fill(text):
            for name, value in zip(names, row):
                text = text.replace("<" + name + ">", value) if text else text
            return text
        yield [(fill(text), fill(doc)) for text, doc in scenario.steps]


class Checker:
    def __init__(self, tool):
        self.process = subprocess.Popen([tool], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.send("X")

    def send(self, record):
        self.process.stdin.write(record.encode() + b"\0")
        self.process.stdin.flush()

    def ask(self, query):
        self.send("Q" + query)
        line = self.process.stdout.readline().decode().rstrip("\n")
        if not line:
            raise SystemExit(f"the checker died of: {query}")
        return line.split("\t")


def judge(checker, steps):
    """Yields a complaint for every query that was not taken as it should."""
    checker.send("R")
    error = None
    for text, _ in steps:
        match = re.match(r"an? (\w+) should be raised at (compile time|any time|runtime): (\S+)", text)
        if match:
            error = match.groups()
    for text, doc in steps:
        if text.startswith("there exists a procedure"):
            checker.send("P" + text[len("there exists a procedure") :].strip().rstrip(":").strip())
        if doc is None or "quer" not in text and "executed" not in text:
            continue
        answer = checker.ask(doc)
        fails = text.startswith("executing query") and error and error[1] == "compile time"
        maybe = text.startswith("executing query") and error and error[1] == "any time"
        if answer[0] == "ok":
            if fails and STATUS.get(error[0]) is not None:
                yield f"accepted, wanted {error[0]}({error[2]})", doc
            again = checker.ask(answer[3].replace("\\n", "\n"))
            if again[0] != "ok":
                yield f"canonical text is refused: {answer[3]}: {again[2]}", doc
            elif again[3] != answer[3]:
                yield f"canonical text is not stable: {answer[3]} -> {again[3]}", doc
        elif not fails and not maybe:
            yield "refused: " + answer[2], doc
        elif fails:
            wanted = STATUS.get(error[0], ["SYNTAX"])
            if wanted is not None and answer[1] not in wanted:
                yield f"wanted status {' or '.join(wanted)}, got {answer[1]}: {answer[2]}", doc
            elif not re.search(MESSAGES.get(error[2], ""), answer[2]):
                yield f"wanted {error[2]}, got: {answer[2]}", doc


def main():
    tck = sys.argv[2] if len(sys.argv) > 2 else os.environ.get("TCK_DIR")
    if not tck:
        print("skipped: TCK_DIR is not set")
        return 77
    root = pathlib.Path(tck)
    root = root / "features" if (root / "features").is_dir() else root
    checker = Checker(sys.argv[1])
    counts, bad = collections.Counter(), 0
    for path in sorted(root.rglob("*.feature")):
        for scenario in read_feature(path):
            for steps in expand(scenario):
                counts["instances"] += 1
                complaints = list(judge(checker, steps))
                counts["good"] += not complaints
                bad += bool(complaints)
                for complaint, doc in complaints:
                    print(f"{path.name}: {scenario.name}\n    {complaint}\n    {' '.join(doc.split())}")
    print(f"{counts['instances']} instances, {counts['good']} as expected, {bad} not")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
