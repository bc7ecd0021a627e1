# SPDX-License-Identifier: GPL-3.0-or-later
"""Texts made by `halflife translate`, read and computed independently of the program: a parser for each of the three
languages (as far as the texts use them, and strictly), an integrator from scipy, doses as the tools understand them.

A text becomes an object with the same questions for all tools:
    states, thetas, etas, omega, sigma, columns        what the text declares
    subject(columns, etas, code)                       what is computed once: F, ALAG, D, R, start values, stops
    rates(t, y), outputs(t, y, cmt)                    for the subject last asked for
"""
import math
import re
import subprocess

import numpy as np
from scipy.integrate import solve_ivp
from scipy.special import erfc

from _halflife import PROGRAM, ROOT

np.seterr(all="ignore")
F64 = np.float64


class Malformed(Exception):
    """The text is not what its tool reads."""


# ---- Expressions ----

TOKENS = {
    "nonmem": r"(?P<number>(\d+\.\d*|\.\d+|\d+)([DE][+-]?\d+)?)|(?P<word>[A-Z][A-Z0-9_]*)"
              r"|(?P<op>\*\*|\.(?:EQ|NE|LT|LE|GT|GE|AND|OR)\.|[-+*/(),])",
    "mrgsolve": r"(?P<number>(\d+\.\d*|\.\d+|\d+)(e[+-]?\d+)?)|(?P<word>[A-Za-z_][A-Za-z0-9_]*(?:\.[a-z]+)?)"
                r"|(?P<op>&&|\|\||[<>=!]=|[-+*/(),<>?:!])",
    "rxode2": r"(?P<number>(\d+\.\d*|\.\d+|\d+)(e[+-]?\d+)?)|(?P<word>[A-Za-z.][A-Za-z0-9_.]*)"
              r"|(?P<op>&&|\|\||[<>=!]=|[-+*/^(),<>])",
}
COMPARISONS = {".EQ.": "==", ".NE.": "!=", ".LT.": "<", ".LE.": "<=", ".GT.": ">", ".GE.": ">=",
               "==": "==", "!=": "!=", "<": "<", "<=": "<=", ">": ">", ">=": ">="}
FUNCTIONS = {
    "nonmem": {"EXP": "exp", "LOG": "log", "LOG10": "log10", "SQRT": "sqrt", "ABS": "abs_", "INT": "trunc", "PHI": "phi",
               "GAMLN": "lgamma"},
    "mrgsolve": {"exp": "exp", "log": "log", "log10": "log10", "sqrt": "sqrt", "fabs": "abs_", "floor": "floor",
                 "pow": "power", "fmin": "minimum", "fmax": "maximum", "expm1": "expm1", "log1p": "log1p", "erfc": "erfc",
                 "lgamma": "lgamma", "self.mtime": "stop"},
    "rxode2": {"exp": "exp", "log": "log", "log10": "log10", "sqrt": "sqrt", "abs": "abs_", "floor": "floor",
               "min": "minimum", "max": "maximum", "expm1": "expm1", "log1p": "log1p", "pnorm": "phi", "logit": "logit",
               "expit": "expit", "lgamma": "lgamma", "gammap": "gammap", "tad0": "tad0"},
}
ARRAYS = {"A": "A", "THETA": "THETA", "ETA": "ETA", "EPS": "EPS", "MPAST": "MPAST"}


class Expression:
    """Recursive descent to Python's own expressions. Strict where the languages are: no sign after an operator in
    Fortran, no division of whole numbers in C, no power operator there."""

    def __init__(self, text, language, words):
        self.text, self.language, self.words = text, language, words
        self.tokens, at = [], 0
        pattern = re.compile(TOKENS[language])
        while at < len(text):
            if text[at].isspace():
                at += 1
                continue
            match = pattern.match(text, at)
            if not match:
                raise Malformed(f"can't read {text[at:at + 20]!r} in {text!r}")
            self.tokens.append((match.lastgroup if match.lastgroup in ("number", "word", "op") else
                                "number" if match.group("number") else "word" if match.group("word") else "op",
                                match.group()))
            at = match.end()
        self.at = 0

    def python(self):
        code = self.ternary()
        if self.at != len(self.tokens):
            raise Malformed(f"{self.tokens[self.at][1]!r} is left over in {self.text!r}")
        return code

    def peek(self):
        return self.tokens[self.at][1] if self.at < len(self.tokens) else None

    def take(self, *ops):
        if self.at < len(self.tokens) and self.tokens[self.at][0] == "op" and self.tokens[self.at][1] in ops:
            self.at += 1
            return self.tokens[self.at - 1][1]
        return None

    def expect(self, op):
        if not self.take(op):
            raise Malformed(f"expected {op!r} before {self.peek()!r} in {self.text!r}")

    def ternary(self):
        condition = self.disjunction()
        if self.language == "mrgsolve" and self.take("?"):
            a = self.ternary()
            self.expect(":")
            return f"(({a}) if ({condition}) else ({self.ternary()}))"
        return condition

    def disjunction(self):
        code = self.conjunction()
        while self.take("||", ".OR."):
            code = f"({code} or {self.conjunction()})"
        return code

    def conjunction(self):
        code = self.comparison()
        while self.take("&&", ".AND."):
            code = f"({code} and {self.comparison()})"
        return code

    def comparison(self):
        code = self.sum(True)
        op = self.take(*COMPARISONS)
        return f"({code} {COMPARISONS[op]} {self.sum(True)})" if op else code

    def sum(self, compared=False):
        code = self.product(compared)
        while (op := self.take("+", "-")):
            code = f"({code} {op} {self.product(compared)})"
        return code

    def product(self, compared):
        sign = self.take("-", "+")
        code = self.power(compared)
        while (op := self.take("*", "/")):
            if self.language == "nonmem" and self.peek() in ("+", "-"):
                raise Malformed(f"two operators in a row in {self.text!r}")
            sign_too = self.take("-", "+")
            right = self.power(compared)
            code = f"({code} {op} {'-' if sign_too == '-' else ''}{right})"
        return f"(-{code})" if sign == "-" else code

    def power(self, compared):
        base = self.primary(compared)
        op = self.take("**", "^")
        if not op:
            return base
        if self.language == "nonmem" and self.peek() in ("+", "-"):
            raise Malformed(f"a sign after ** in {self.text!r}")
        sign = self.take("-")
        return f"({base} ** ({'-' if sign else ''}{self.power(compared)}))"

    def primary(self, compared):
        if self.take("("):
            code = self.ternary()
            self.expect(")")
            return f"({code})"
        if self.at >= len(self.tokens):
            raise Malformed(f"{self.text!r} ends too early")
        kind, text = self.tokens[self.at]
        self.at += 1
        if kind == "number":
            whole = re.fullmatch(r"\d+", text) is not None
            if whole and self.language == "mrgsolve" and not compared:
                raise Malformed(f"a whole number {text} in C++ arithmetic: {self.text!r}")
            return f"{text}.0" if whole else text.replace("D", "e")
        if kind != "word":
            raise Malformed(f"{text!r} where a value was expected in {self.text!r}")
        return self.word(text)

    def arguments(self):
        found = []
        if not self.take(")"):
            found.append(self.ternary())
            while self.take(","):
                found.append(self.ternary())
            self.expect(")")
        return found

    def word(self, text):
        if not self.take("("):
            self.words.add(text)
            return f"e[{text!r}]"
        if self.language == "rxode2" and text in ("tad0", "podo0"):
            compartment = self.tokens[self.at][1]
            self.at += 1 if compartment != ")" else 0
            self.expect(")")
            return f"last_{text}(e, {compartment.strip(')')!r})"
        inside = self.arguments()
        if self.language == "nonmem" and text in ARRAYS:
            return f"e[{text!r}][int({inside[0]})]"
        if text not in FUNCTIONS[self.language]:
            raise Malformed(f"unknown function {text!r} in {self.text!r}")
        return f"{FUNCTIONS[self.language][text]}({', '.join(inside)})"


def power(a, b):
    return np.power(F64(a), F64(b))


def exponential(x):
    try:
        return F64(math.exp(x))
    except OverflowError:
        return F64("inf")


HELPERS = {"F64": F64, "power": power, "exp": exponential, "log": lambda x: np.log(F64(x)),
           "log10": lambda x: np.log10(F64(x)), "log1p": lambda x: np.log1p(F64(x)), "expm1": lambda x: np.expm1(F64(x)),
           "sqrt": lambda x: np.sqrt(F64(x)), "abs_": abs, "trunc": lambda x: F64(math.trunc(x)),
           "floor": lambda x: F64(math.floor(x)), "minimum": min, "maximum": max, "erfc": erfc,
           "phi": lambda x: 0.5 * erfc(-x / math.sqrt(2)), "lgamma": lambda x: F64(math.lgamma(x)),
           "logit": lambda x: np.log(x / (1 - x)), "expit": lambda x: 1 / (1 + np.exp(-x)), "stop": lambda x: x,
           "last_tad0": lambda e, c: e["t"] - e["#last"].get(c, (e["t"], 0.0))[0],
           "last_podo0": lambda e, c: F64(e["#last"].get(c, (0.0, 0.0))[1]),
           "gammap": lambda a, x: F64(__import__("scipy.special").special.gammainc(a, x))}


class Block:
    """Statements turned into one Python function of the environment e."""

    def __init__(self, language):
        self.language, self.lines, self.depth, self.words, self.targets = language, [], 1, set(), []

    def add(self, line):
        self.lines.append("    " * self.depth + line)

    def expression(self, text):
        return Expression(text, self.language, self.words).python()

    def assign(self, target, text):
        self.targets.append(target)
        self.add(f"e[{target!r}] = {self.expression(text)}")

    def store(self, array, index, text):
        self.add(f"e[{'#' + array!r}][{index!r}] = {self.expression(text)}")

    def begin(self, text, word="if"):
        self.add(f"{word} {self.expression(text)}:")
        self.depth += 1

    def otherwise(self, text=None):
        self.depth -= 1
        if text is None:
            self.add("else:")
            self.depth += 1
        else:
            self.begin(text, "elif")

    def end(self):
        self.depth -= 1

    def compile(self):
        if self.depth != 1:
            raise Malformed("an IF block is not closed")
        space = dict(HELPERS)
        exec("def run(e):\n" + "\n".join(self.lines or ["    pass"]) + "\n    return e\n", space)
        return space["run"]


# ---- What all texts share ----

class Text:
    comment = None

    def __init__(self, text):
        self.text = text
        self.header()
        self.read()
        self.env = None

    def header(self):
        """What the comments above the text say: states, doses, renamed names."""
        self.states, self.doses, self.renamed, self.prefix, part = [], [], {}, {}, None
        for line in self.text.splitlines():
            line = line.strip()
            if not line.startswith(self.comment):
                continue
            body = line[len(self.comment):]
            begins = re.match(r" (\w+) = \w+: ", body)
            if begins:
                self.prefix[begins[1]] = None
            if "its names begin with" in body:
                self.prefix[list(self.prefix)[-1]] = body.split()[-1]
            if body.startswith(" Compartments (CMT)"):
                part = "states"
            elif body.startswith(" Doses, route by route"):
                part = "doses"
            elif body.startswith(" Names that had to change"):
                part = "names"
            elif body.startswith(" ") and not body.startswith("   "):
                part = None
            elif part == "states":
                number, name, dotted = body.split()[:3]
                assert int(number) == len(self.states) + 1
                self.states.append((name, dotted))
            elif part == "doses":
                match = re.match(r"\s+(\w+)\s+CMT=(\d+)(?: ROUTE=(\d+))?; (.*)$", body)
                if match:
                    self.doses.append((match[1], int(match[2]), int(match[3] or 0), match[4]))
            elif part == "names":
                match = re.match(r"\s+([\w. ']+): (\w+)$", body)
                if match:
                    self.renamed[match[1]] = match[2]

    def name(self, dotted):
        """What something is called in the text."""
        return self.renamed.get(dotted, self.usual(dotted))

    def usual(self, dotted):
        alias, dot, name = dotted.partition(".")
        return self.prefix[alias] + name if dot and alias in self.prefix else dotted.replace(".", "_")


class Nonmem(Text):
    comment = ";"
    reserved = set("ID TIME EVID AMT CMT RATE ADDL II SS DV MDV A P T F Y THETA ETA EPS ERR DADT DA DP DT IR E NEWIND ICALL "
                   "MIXNUM MIXEST MIXP PRED RES WRES EXP LOG LOG10 SQRT SIN COS TAN ABS INT MIN MAX MOD PHI GAMLN COMRES "
                   "CALLFL DOSTIM DOSREC OMEGA SIGMA HH G COM IPRED_".split())
    records = ("SIZES", "PROBLEM", "INPUT", "DATA", "SUBROUTINES", "MODEL", "MIX", "PK", "DES", "ERROR", "THETA", "OMEGA",
               "SIGMA", "SIMULATION", "TABLE")

    def usual(self, dotted):
        return super().usual(dotted).upper()

    def defaults(self):
        """Defaults of the columns, from the comments beside $INPUT."""
        return {k: float(v) for k, v in re.findall(r"^; (\w+): .*; default (\S+)$", self.text, re.M)}

    def lines(self):
        """Lines without comments, continued ones joined, with the record they stand in."""
        record, waiting = None, ""
        for line in self.text.splitlines():
            if len(line) > 160:
                raise Malformed(f"a line of {len(line)} characters")
            if any(ord(c) > 126 for c in line):
                raise Malformed(f"not ASCII: {line!r}")
            line = line.split(";")[0].rstrip()
            if not line.strip():
                continue
            match = re.match(r"\$([A-Z]+)\b", line)
            if match:
                record = match[1]
                if record not in self.records:
                    raise Malformed(f"unknown record ${record}")
                line = line[match.end():]
                yield record, None
            line = (waiting + " " + line).strip() if waiting else line.strip()
            waiting = ""
            if line.endswith("&"):
                waiting = line[:-1].rstrip()
            elif line:
                yield record, line

    def check_target(self, name):
        if not re.fullmatch(r"[A-Z][A-Z0-9_]{0,19}", name):
            raise Malformed(f"{name} is no name for NM-TRAN")
        if name in self.reserved or re.fullmatch(r"[ASP]\d+", name):
            raise Malformed(f"{name} is reserved")

    def statement(self, block, line, state):
        """One line of abbreviated code."""
        if line == "ENDIF":
            state["depth"] -= 1
            block.end()
        elif line == "ELSE":
            block.otherwise()
        elif line.startswith("ELSEIF"):
            block.otherwise(re.fullmatch(r"ELSEIF \((.*)\) THEN", line)[1])
        elif line.startswith("IF (") and line.endswith(" THEN"):
            state["depth"] += 1
            if state["depth"] > 1:
                raise Malformed("an IF inside an IF, where NM-TRAN defines no random variable")
            block.begin(line[4:-len(") THEN")])
        elif line.startswith("IF ("):
            depth, at = 0, 3
            while True:
                depth += {"(": 1, ")": -1}.get(line[at], 0)
                at += 1
                if depth == 0:
                    break
            block.begin(line[4:at - 1])
            self.statement(block, line[at:].strip(), state)
            block.end()
        elif line.startswith("EXIT"):
            if not re.fullmatch(r"EXIT \d \d+", line):
                raise Malformed(line)
            block.add("raise ValueError('EXIT')")
        else:
            self.assignment(block, line)

    def assignment(self, block, line):
        left, equals, right = line.partition(" = ")
        if not equals:
            raise Malformed(f"no statement: {line!r}")
        element = re.fullmatch(r"(DADT|A_0|MTIME|P)\((\d+)\)", left)
        item = re.fullmatch(r"(F|ALAG|D|R)(\d+)", left)
        if element:
            block.store(element[1], int(element[2]), right)
        elif item:
            block.store(item[1], int(item[2]), right)
        elif left in ("Y", "NSPOP", "CALLFL", "IPRED", "OCC", "ROUTE"):
            block.assign(left, right)
        else:
            self.check_target(left)
            block.assign(left, right)

    def read(self):
        self.record = {}
        code = {"MIX": Block("nonmem"), "PK": Block("nonmem"), "DES": Block("nonmem"), "ERROR": Block("nonmem")}
        self.order, self.omegas, self.sigmas, self.values, depth = [], [], [], [], {"depth": 0}
        for record, line in self.lines():
            if line is None:
                self.order.append(record)
                if record in ("OMEGA", "SIGMA"):
                    (self.omegas if record == "OMEGA" else self.sigmas).append([])
            elif record in code:
                self.statement(code[record], line, depth)
            elif record in ("OMEGA", "SIGMA"):
                (self.omegas if record == "OMEGA" else self.sigmas)[-1] += line.split()
            else:
                self.record.setdefault(record, []).extend(line.split())
        self.check_records()
        self.code = {name: block.compile() for name, block in code.items()}
        defined = set(code["PK"].targets)
        for name in ("DES", "ERROR"):
            twice = defined & set(code[name].targets)
            if twice:
                raise Malformed(f"{sorted(twice)} defined in two blocks")
            defined |= set(code[name].targets)
        self.read_values()
        self.read_etas()

    def check_records(self):
        for needed in ("PROBLEM", "INPUT", "DATA", "SUBROUTINES", "MODEL", "PK", "DES", "ERROR", "THETA", "SIGMA",
                       "SIMULATION", "TABLE"):
            if needed not in self.order:
                raise Malformed(f"no ${needed}")
        if self.record["SUBROUTINES"] != ["ADVAN13", "TOL=9"]:
            raise Malformed("$SUBROUTINES")
        if self.record["SIMULATION"] != ["(12345)", "ONLYSIMULATION"]:
            raise Malformed("$SIMULATION")
        components = " ".join(self.record["MODEL"])
        names = re.findall(r"COMP=\((\w+)[^)]*\)", components)
        if names != [name for name, _ in self.states]:
            raise Malformed("$MODEL does not list the states of the header")
        for column in self.record["INPUT"]:
            if not re.fullmatch(r"[A-Z][A-Z0-9_]{0,19}(=DROP)?", column):
                raise Malformed(f"$INPUT {column}")

    def read_values(self):
        words = self.record["THETA"]
        if words[1::2] != ["FIX"] * (len(words) // 2):
            raise Malformed("$THETA is not a list of fixed values")
        self.thetas = [float(x) for x in words[0::2]]
        self.columns = [c for c in self.record["INPUT"] if "=" not in c]

    def read_matrices(self, lists):
        """Variances and covariances by number, from 1."""
        number, matrix, last = 0, {}, None
        for words in lists:
            match = re.match(r"BLOCK\((\d+)\)", words[0])
            n = int(match[1]) if match else 1
            if match and words[1:] == ["SAME"]:
                values = last
            else:
                values = [float(x) for x in words[1 if match else 0:] if x != "FIX"]
                if len(values) != n * (n + 1) // 2:
                    raise Malformed(f"a matrix of {n} with {len(values)} numbers")
            last, k = values, 0
            for i in range(n):
                for j in range(i + 1):
                    matrix[number + i + 1, number + j + 1] = values[k]
                    k += 1
            number += n
        return matrix, number

    def read_etas(self):
        self.omega_by_number, self.n_etas = self.read_matrices(self.omegas)
        self.sigma_by_number, self.n_eps = self.read_matrices(self.sigmas)
        self.number = {}
        for match in re.finditer(r"^  (\w+) = ETA\((\d+)\)$", self.text, re.M):
            self.number[match[1]] = [int(match[2])]
        for match in re.finditer(r"^  IF \(OCC \.EQ\. (\d+)\) (\w+) = ETA\((\d+)\)$", self.text, re.M):
            self.number.setdefault(match[2], []).append(int(match[3]))
        self.etas = list(self.number)

    def covariance(self, a, b):
        i, j = self.number[a][0], self.number[b][0]
        return self.omega_by_number.get((max(i, j), min(i, j)), 0.0)

    def subject(self, columns, etas=None, code=0, occ=1):
        e = {c: F64(0) for c in self.columns}
        e.update({"TIME": F64(0), "CMT": 0, "EVID": 0, "AMT": F64(0), "A_0FLG": 1, "NEWIND": 0, "ICALL": 4, "OCC": occ, "ROUTE": code,
                  "DOSTIM": 0.0})
        e.update({k: F64(v) for k, v in columns.items()})
        e["THETA"] = dict(enumerate(map(F64, self.thetas), 1))
        e["ETA"] = {i: F64(0) for i in range(1, self.n_etas + 1)}
        for name, value in (etas or {}).items():
            e["ETA"][self.number[name][min(occ, len(self.number[name])) - 1]] = F64(value)
        for array in ("F", "ALAG", "D", "R", "A_0", "MTIME", "P", "DADT"):
            e["#" + array] = {}
        e["MPAST"] = {}
        e["EPS"] = {i: F64(0) for i in range(1, self.n_eps + 1)}
        self.code["MIX"](e)
        e["MIXNUM"] = columns.get("MIXNUM", max(e["#P"], key=e["#P"].get) if e["#P"] else 1)
        self.env = self.code["PK"](e)
        n = len(self.states)
        self.start = np.array([float(e["#A_0"].get(i + 1, 0.0)) for i in range(n)])
        self.items = {key: {i: float(v) for i, v in e["#" + key].items()} for key in ("F", "ALAG", "D", "R")}
        self.stops = [float(v) for v in e["#MTIME"].values()]
        return self.env

    def see(self, d):
        """A dose's record: $PK runs."""
        e = self.env
        e.update({"TIME": F64(d.time), "AMT": F64(d.amt), "CMT": d.cmt, "ROUTE": d.code, "EVID": 1, "NEWIND": 2})
        self.code["PK"](e)

    def rates(self, t, y, past):
        e = self.env
        e["T"] = F64(t)
        e["A"] = dict(enumerate(map(F64, y), 1))
        e["MPAST"] = {k: int(past >= v) for k, v in e["#MTIME"].items()}
        self.code["DES"](e)
        return [float(e["#DADT"][i + 1]) for i in range(len(y))]

    def outputs(self, t, y, cmt=0):
        e = self.env
        e["TIME"], e["CMT"] = F64(t), cmt
        e["A"] = dict(enumerate(map(F64, y), 1))
        self.code["ERROR"](e)
        return e

    def table(self):
        words = self.record["TABLE"]
        return [w for w in words if w not in ("ID", "TIME", "EVID", "CMT", "NOPRINT", "ONEHEADER") and "=" not in w]


class Mrgsolve(Text):
    comment = "//"
    keywords = set("auto break case char class const continue default delete do double else enum extern float for goto if int "
                   "long new operator private public return short signed sizeof static struct switch template this throw "
                   "try typedef union using virtual void volatile while self exp log pow sqrt gamma y0 y1 j0 j1".split())

    def lines(self):
        block = None
        for line in self.text.splitlines():
            line = line.split("//")[0].split("##")[0].rstrip()
            match = re.match(r"\$([A-Z]+)\b", line.lstrip())
            if match:
                block = match[1]
                if block not in ("PROB", "PARAM", "CMT", "OMEGA", "SIGMA", "GLOBAL", "MAIN", "ODE", "TABLE", "SET"):
                    raise Malformed(f"unknown block ${block}")
                line = line.lstrip()[match.end():]
                yield block, None
            if line.strip() and block != "PROB":
                yield block, line.strip()

    def read(self):
        self.thetas, self.omega, self.sigma, self.cmt, self.columns = {}, [], [], [], []
        code = {"MAIN": Block("mrgsolve"), "ODE": Block("mrgsolve"), "TABLE": Block("mrgsolve"), "GLOBAL": Block("mrgsolve")}
        self.captures, covariates = [], False
        for block, line in self.lines():
            if line is None:
                covariates = False
                if block in ("OMEGA", "SIGMA"):
                    (self.omega if block == "OMEGA" else self.sigma).append(([], []))
            elif block in code:
                self.statement(code[block], block, line)
            elif block == "PARAM" and line == "@covariates":
                covariates = True
            elif block == "PARAM":
                match = re.fullmatch(r"(\w+) = (\S+)", line)
                self.declare(match[1])
                self.thetas[match[1]] = float(match[2])
                if covariates:
                    self.columns.append(match[1])
            elif block == "CMT":
                self.cmt += line.split()
            elif block in ("OMEGA", "SIGMA"):
                self.matrix((self.omega if block == "OMEGA" else self.sigma)[-1], line)
            elif block != "SET":
                raise Malformed(f"{line!r} in ${block}")
        if self.cmt != [name for name, _ in self.states]:
            raise Malformed("$CMT does not list the states of the header")
        self.code = {name: block.compile() for name, block in code.items()}
        self.variances = {}
        for labels, values in self.omega:
            self.spread(labels, values)
        self.etas = [label for labels, _ in self.omega for label in labels]
        self.eps = [label for labels, _ in self.sigma for label in labels]

    def declare(self, name):
        if name in self.keywords or not re.fullmatch(r"[A-Za-z]\w*", name):
            raise Malformed(f"{name} can't be a name in C++")

    def matrix(self, into, line):
        if line.startswith("@"):
            into[0].extend(line.split("@labels")[1].split())
        else:
            into[1].extend(float(x) for x in line.split())

    def spread(self, labels, values):
        n = len(labels)
        if len(values) != n * (n + 1) // 2:
            raise Malformed(f"$OMEGA of {n} with {len(values)} numbers")
        k = 0
        for i in range(n):
            for j in range(i + 1):
                self.variances[labels[i], labels[j]] = self.variances[labels[j], labels[i]] = values[k]
                k += 1

    def covariance(self, a, b):
        return self.variances.get((a, b), self.variances.get((a + "_1", b + "_1"), 0.0))

    def defaults(self):
        return {}

    def statement(self, block, name, line):
        if not line.endswith(";"):
            raise Malformed(f"no semicolon: {line!r}")
        line = line[:-1]
        match = re.fullmatch(r"if \((.*)\) (\w+ = .*)", line)
        if match:
            block.begin(match[1])
            self.statement(block, name, match[2] + ";")
            block.end()
            return
        match = re.fullmatch(r"(double |capture )?(\w+) = (.*)", line)
        if not match:
            raise Malformed(f"no statement: {line!r}")
        target = match[2]
        if match[1]:
            self.declare(target)
            if target in self.captures or target in self.thetas or target in self.cmt:
                raise Malformed(f"{target} is declared twice")
            self.captures.append(target)
        item = re.fullmatch(r"(F|ALAG|D|R)_(\w+)", target)
        if not match[1] and item and item[2] in self.cmt:
            block.store(item[1], self.cmt.index(item[2]) + 1, match[3])
        elif not match[1] and target.startswith("dxdt_"):
            block.store("DXDT", self.cmt.index(target[5:]), match[3])
        elif not match[1] and target.endswith("_0") and target[:-2] in self.cmt:
            block.store("START", self.cmt.index(target[:-2]), match[3])
        else:
            block.assign(target, match[3])

    def subject(self, columns, etas=None, code=0, occ=1):
        e = {name: F64(value) for name, value in self.thetas.items()}
        e.update({k: F64(v) for k, v in columns.items()})
        e.update({label: F64(0) for label in self.etas + self.eps})
        for name, value in (etas or {}).items():
            e[name if name in e else f"{name}_{occ}"] = F64(value)
        e.update({"OCC": occ, "ROUTE": code, "CMT": 0, "EVID": 0, "AMT": F64(0), "NEWIND": 1, "TIME": F64(0), "NAN": F64("nan"),
                  "#F": {}, "#ALAG": {}, "#D": {}, "#R": {}, "#START": {}, "#DXDT": {}})
        for i, name in enumerate(self.cmt):
            e[name] = F64(0)
        self.code["GLOBAL"](e)
        self.env = self.code["MAIN"](e)
        self.start = np.array([float(e["#START"].get(i, 0.0)) for i in range(len(self.cmt))])
        self.items = {key: {i: float(v) for i, v in e["#" + key].items()} for key in ("F", "ALAG", "D", "R")}
        self.stops = [float(e[w]) for w in re.findall(r"^double (mt\d+) = self\.mtime", self.text, re.M)]
        return e

    def see(self, d):
        """A dose's record: $MAIN runs."""
        e = self.env
        e.update({"TIME": F64(d.time), "AMT": F64(d.amt), "CMT": d.cmt, "ROUTE": d.code, "EVID": 1, "NEWIND": 2})
        self.code["MAIN"](e)

    def rates(self, t, y, past):
        e = self.env
        e["SOLVERTIME"] = F64(t)
        for i, name in enumerate(self.cmt):
            e[name] = F64(y[i])
        self.code["ODE"](e)
        return [float(e["#DXDT"][i]) for i in range(len(y))]

    def outputs(self, t, y, cmt=0):
        e = self.env
        e["TIME"], e["CMT"] = F64(t), cmt
        for i, name in enumerate(self.cmt):
            e[name] = F64(y[i])
        self.code["TABLE"](e)
        return e

    def table(self):
        return re.findall(r"^capture (\w+) =", self.text, re.M)


class Rxode2(Text):
    comment = "#"

    def read(self):
        body = re.search(r"^model <- rxode2\(\{\n(.*?)^\}\)$", self.text, re.M | re.S)
        if not body:
            raise Malformed("no model <- rxode2({ ... })")
        self.vectors = {}
        for name in ("theta", "covariates"):
            match = re.search(rf"^{name} <- c\(\n(.*?)^  NULL\)$", self.text, re.M | re.S)
            self.vectors[name] = {k: float(v) for k, v in re.findall(r"^  ([\w.]+) = (\S+),", match[1], re.M)}
        self.thetas, self.columns = self.vectors["theta"], list(self.vectors["covariates"])
        self.variances, self.etas = {}, []
        for name in ("omega", "sigma"):
            match = re.search(rf"^{name} <- lotri\(\{{\n(.*?)^\}}\)$", self.text, re.M | re.S)
            found = self.lotri(match[1]) if match else []
            if name == "omega":
                self.etas = found
            else:
                self.eps = found
        self.eps = getattr(self, "eps", [])
        self.block = Block("rxode2")
        self.odes, self.late = [], []
        for line in body[1].splitlines():
            line = line.split("#")[0].strip()
            if line:
                self.statement(line)
        if self.odes != [name for name, _ in self.states]:
            raise Malformed("d/dt does not follow the order of the header")
        known = set(self.thetas) | set(self.columns) | set(self.etas) | set(self.eps) | set(self.odes)
        unknown = self.block.words - known - set(self.block.targets) - {"t", "NA"}
        if unknown:
            raise Malformed(f"{sorted(unknown)} have no value")
        both = known & set(self.block.targets)
        if both:
            raise Malformed(f"{sorted(both)} are given and computed")
        self.run = self.block.compile()

    def lotri(self, text):
        names = []
        for line in text.splitlines():
            line = line.split("#")[0].strip()
            left, right = line.split(" ~ ")
            labels = left.split(" + ")
            values = [float(x) for x in re.sub(r"^c\(|\)$", "", right).split(",")]
            n, k = len(labels), 0
            if len(values) != n * (n + 1) // 2:
                raise Malformed(line)
            for i in range(n):
                for j in range(i + 1):
                    self.variances[labels[i], labels[j]] = self.variances[labels[j], labels[i]] = values[k]
                    k += 1
            names += labels
        return names

    covariance, defaults = Mrgsolve.covariance, Mrgsolve.defaults

    def statement(self, line):
        block = self.block
        if line == "}":
            block.end()
        elif line.startswith("} else if ("):
            block.otherwise(re.fullmatch(r"\} else if \((.*)\) \{", line)[1])
        elif line == "} else {":
            block.otherwise()
        elif line.startswith("if ("):
            block.begin(re.fullmatch(r"if \((.*)\) \{", line)[1])
        else:
            left, arrow, right = line.partition(" <- ")
            if not arrow:
                raise Malformed(f"no statement: {line!r}")
            self.assignment(left, right)

    def assignment(self, left, right):
        block = self.block
        ode = re.fullmatch(r"d/dt\((\w+)\)", left)
        item = re.fullmatch(r"(f|alag|dur|rate)\((\w+)\)", left)
        start = re.fullmatch(r"(\w+)\(0\)", left)
        jump = re.fullmatch(r"mtime\((\w+)\)", left)
        if ode:
            block.store("DDT", len(self.odes), right)
            self.odes.append(ode[1])
        elif item:
            key = {"f": "F", "alag": "ALAG", "dur": "D", "rate": "R"}[item[1]]
            block.store(key, self.odes.index(item[2]) + 1, right)
        elif start:
            block.store("START", self.odes.index(start[1]), right)
        elif jump:
            block.assign(jump[1], right)
            block.store("MT", jump[1], right)
        elif re.fullmatch(r"[A-Za-z][\w]*", left):
            block.assign(left, right)
        else:
            raise Malformed(f"can't assign to {left!r}")

    def subject(self, columns, etas=None, code=0, occ=1):
        e = {name: F64(value) for name, value in {**self.thetas, **self.vectors["covariates"]}.items()}
        e.update({k: F64(v) for k, v in columns.items()})
        e.update({label: F64(0) for label in self.etas + self.eps})
        for name, value in (etas or {}).items():
            e[name if name in e else f"{name}_{occ}"] = F64(value)
        e.update({"OCC": occ, "ROUTE": code, "t": F64(0), "NA": F64("nan"), "#F": {}, "#ALAG": {}, "#D": {},
                  "#R": {}, "#START": {}, "#DDT": {}, "#MT": {}, "#last": {}})
        for name in self.odes:
            e[name] = F64(0)
        self.env = self.run(e)
        self.start = np.array([float(e["#START"].get(i, 0.0)) for i in range(len(self.odes))])
        self.items = {key: {i: float(v) for i, v in e["#" + key].items()} for key in ("F", "ALAG", "D", "R")}
        self.stops = [float(v) for v in e["#MT"].values()]
        return e

    def see(self, d):
        """The last dose of each compartment, and of all, as tad0() and podo0() know it."""
        self.env["#last"][self.odes[d.cmt - 1]] = self.env["#last"][""] = (F64(d.time), d.amt)

    def all(self, t, y):
        e = self.env
        e["t"] = F64(t)
        for i, name in enumerate(self.odes):
            e[name] = F64(y[i])
        return self.run(e)

    def rates(self, t, y, past):
        e = self.all(t, y)
        return [float(e["#DDT"][i]) for i in range(len(y))]

    def outputs(self, t, y, cmt=0):
        return self.all(t, y)

    def table(self):
        return sorted(set(self.block.targets))


LANGUAGES = {"nonmem": Nonmem, "mrgsolve": Mrgsolve, "rxode2": Rxode2}


def translate(source, language, *options, expect=0):
    """The text and the messages."""
    import os
    done = subprocess.run([PROGRAM, "translate", source, "--to", language, *options], capture_output=True, text=True,
                          env=dict(os.environ, HALFLIFE_DATA=ROOT), cwd=ROOT)
    if done.returncode != expect:
        raise RuntimeError(f"translate {source} ended with {done.returncode}:\n{done.stderr}")
    return done.stdout, done.stderr


# ---- Doses and integration ----

class Dose:
    """A record: amt into cmt at time; rate 0 a bolus, -2 over D, -1 at R, else as given. off: switches cmt off."""

    def __init__(self, time, cmt, amt=0.0, rate=0.0, code=0, off=False):
        self.time, self.cmt, self.amt, self.rate, self.code, self.off = time, cmt, amt, rate, code, off


def simulate(text, doses, times, columns=None, etas=None, tolerance=1e-9, seen=None):
    """Outputs at times, as {name: array}; each dose takes F, lag, D and R as its record's ROUTE says. seen: {time: CMT} of
    observations, for IPRED."""
    columns = columns or {}
    boluses, infusions, offs = [], [], []
    for d in doses:
        if d.off:
            offs.append((d.time, d.cmt))
            continue
        text.subject(columns, etas, d.code)
        amount, start = d.amt * text.items["F"].get(d.cmt, 1.0), d.time + text.items["ALAG"].get(d.cmt, 0.0)
        if d.rate == 0:
            boluses.append((start, d.cmt, amount))
        else:
            rate = {-1: lambda: text.items["R"][d.cmt], -2: lambda: amount / text.items["D"][d.cmt]}.get(
                d.rate, lambda: d.rate)()
            infusions.append((start, start + amount / rate, d.cmt, rate))
    text.subject(columns, etas, 0)
    y, n = text.start.copy(), len(text.states)
    pending = sorted((d for d in doses if not d.off), key=lambda d: d.time)
    breaks = sorted({0.0, max(times)} | {d.time for d in doses} | {b[0] for b in boluses} | {x for i in infusions for x in i[:2]} |
                    {o[0] for o in offs} | {s for s in text.stops})
    breaks = [b for b in breaks if 0 <= b <= max(times)]
    wanted, shown = sorted(times), {}

    def show(t, x):
        e = text.outputs(t, x, (seen or {}).get(t, 0))
        shown[t] = [float(e[name]) for name in text.table()]

    for k, begin in enumerate(breaks):
        for time, cmt in offs:
            if time == begin:
                y[cmt - 1] = 0.0
        for time, cmt, amount in boluses:
            if time == begin:
                y[cmt - 1] += amount
        while pending and pending[0].time <= begin:
            text.see(pending.pop(0))
        end = breaks[k + 1] if k + 1 < len(breaks) else begin
        if begin in times:
            show(begin, y)
        if end == begin:
            break
        rate = np.zeros(n)
        for start, stop, cmt, r in infusions:
            if start <= begin and stop >= end:
                rate[cmt - 1] += r
        points = [t for t in wanted if begin < t < end] + [end]
        below = np.nextafter(end, begin)  # a jump at the end belongs to the next stretch
        solved = solve_ivp(lambda t, x: np.array(text.rates(min(t, below), x, begin)) + rate, (begin, end), y,
                           method="LSODA", t_eval=points, rtol=tolerance, atol=1e-13)
        if not solved.success:
            raise RuntimeError(solved.message)
        for t, x in zip(points[:-1], solved.y.T):
            show(t, x)
        y = solved.y[:, -1].copy()
    return {name: np.array([shown[t][i] for t in times]) for i, name in enumerate(text.table())}
