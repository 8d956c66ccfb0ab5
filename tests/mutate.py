"""Break every rule on purpose, one way at a time, and print what no test notices: `python -m tests.mutate`.

Broken are the rules of the table, the functions that are composed of operations, and the helpers of both: all that a
derivative comes out of in `autograd/rules`. A mutant is one small change of the source of one function (a sign, an
operator, a factor left away, a constant, a branch, an argument, a keyword, a conjugate), compiled in the function's own
globals and put in the place of its code. The tests that ran through the function when all was well are run again, the
quickest first, until one fails. A mutant that all of them pass is a survivor: a test is missing, or the change changes
nothing that counts, and then EXPLAINED says why.

    python -m tests.mutate                       everything, on as many processes as there are processors
    python -m tests.mutate --only sinc,prod      what concerns functions of these names, or files
    python -m tests.mutate --list                the mutants, untested

It exits with 1 if a survivor is not explained. The package itself never compiles anything.
"""

from __future__ import annotations

import argparse
import ast
import copy
import functools
import importlib
import inspect
import itertools
import multiprocessing
import os
import re
import signal
import sys
import time
import types
import warnings
from collections.abc import Callable, Iterator
from multiprocessing.connection import wait
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from autograd.op import Op, Several, operations, registry
from autograd.rules import everything

everything()
ROOT = Path(__file__).parent.parent
RULES = ROOT / "autograd" / "rules"
SOURCES = {path: path.read_text(encoding="utf-8") for path in RULES.glob("*.py")}  # as they are imported
TESTS = [
    *(f"tests.autograd.rules.{path.stem}" for path in sorted((ROOT / "tests/autograd/rules").glob("test_*.py"))),
    "tests.autograd.test_backward",
    "tests.autograd.test_transforms",
    "tests.autograd.test_value",
]

# Mutants that change no derivative: where they stand and what they change, as regular expressions, and why.
GUARD = r"np\.where\((.+) == 0, 1\.0, (.+)\)  →  np\.where\(\1 == 0, (2|-1)\.0, \2\)"
UNUSED = "what is divided there is 0, or not used: any number but 0 will do"
EXPLAINED: list[tuple[str, str, str]] = [
    (r"elementwise.py: (hypot|arctan2|sign|power), rule .", GUARD, UNUSED),
    (r"elementwise.py: sign, rule 0", r"length == 0  →  length == 1", UNUSED),
    (r"elementwise.py: fmod, rule 1", r"np\.rint\((.+)\)  →  \1", "the quotient is whole but for rounding"),
    (r"elementwise.py: modf", r"np\.fmod\(x, 1\.0\)  →  .*-1\.0\)", "the remainder has the sign of x, whatever y has"),
    (r"elementwise.py: (arcsinh|arctan2), .*", r"np\.hypot\((.+), (.+)\)  →  .*(\2, \1|-1\.0)\)", "hypot is symmetric"),
    (r"elementwise.py: sinc_slope", r".*, 1\.0\)  →  .*, (2|-1)\.0\)|range\(12.*", "a term far beyond the last digit"),
    (r"elementwise.py: sinc_slope", r".*np\.abs\(u\) < 1\.0  →  .*np\.abs\(u\) <(= 1| 2).*", "both forms hold there"),
    (r"elementwise.py: sinc_slope", r"np\.where\(near, 1\.0, x\)  →  .*", "not used where it is near"),
    (r"elementwise.py: real", r"np\.positive\(val\)  →  val", "the same numbers; a node less"),
    (r"elementwise.py: where, cuts", r"np\.equal\((.+), (.+)\)  →  .*\2, \1\)", "it is symmetric"),
    (r"elementwise.py: between", r"inside & \(a >= low\)  →  a >= low", "no comparison with NaN holds"),
    (r"special.py: .* rule .", r"sp\.(betaln|hyp2f1)\(.*", "it is symmetric in the first two"),
    (r"special.py: special.kv, rule 1", r"v - 1  →  1 - v", "the same for the negative order"),
    (r"special.py: special.[jyik]1, rule 0", r"sp\..v\(2, x\)  →  sp\..v\(-2, x\)", "the same for an even order"),
    (r"special.py: special.fresnel.cosine, .*", r"np\.pi / 2  →  np\.pi / -2", "the cosine is even"),
    (r"special.py: special.huber, rule .", r"np\.(maximum|clip)\(.*", "the larger of two, and the middle one of three"),
    (r"special.py: (distance|special.pseudo_huber.*)", r"(\S+)\((.), (.)\)  →  \1\(\3, \2\)", "it is symmetric"),
    (r"special.py: distance", GUARD, UNUSED),
    (r"fourier.py: counts|polynomial.py: polyval, rule 1", r"-1  →  -2", "reshape takes any negative number for this"),
    (r"fourier.py: (in_turn|fftshift|ifftshift)", r"(list|tuple)\((.*)\)  →  \2", "any sequence will do"),
    (r"fourier.py: fitted", r".*missing > 0 .*  →  .*missing >= 0.*", "padding by nothing"),
    (r"fourier.py: halves", r"(.*) // 2  →  \1 // -2", "the same roll, the other way round"),
    (
        r"fourier.py: in_turn",
        r"n if n is None else int\(n\)  →  .*",
        "the transform along one axis takes such a number, too",
    ),
    (r"fourier.py: r?fftfreq", r"(.*)\(n, device=device\)  →  \1\(n\)", "the only device that NumPy has"),
    (
        r"polynomial.py: polyval, rule 0",
        r"return 0\.0  →  return 1\.0",
        "the gradient of no coefficients has no entries",
    ),
    (r"polynomial.py: (aligned|polyadd)", r"(max|aligned)\(.*", "it is symmetric"),
    (r"polynomial.py: vander, rule 0", r"np\.shape\(y\)\[1\]  →  .*|axis=1  →  axis=-1", "the last of two axes"),
    (r"polynomial.py: polymul", r"np\.zeros\(1, (.*)\)  →  np\.zeros\(2, \1\)", "zeros in front are left away"),
    (r"polynomial.py: first", r"int\((.*)\)  →  \1", "NumPy's integers are integers"),
    (
        r"polynomial.py: poly(div|fit)",
        r"np\.add\((.), 0\.0\)  →  .*|(.*) \+ 0\.0  →  \2( - 0\.0)?",
        "only its dtype counts",
    ),
    (r"polynomial.py: polydiv", r"u\[0\] \+ v\[0\]  →  u\[0\] - v\[0\]", "only its dtype counts"),
    (
        r"polynomial.py: polydiv",
        r"np\.isclose.*  →  np\.isclose\((0, rest, .*|rest, 0)\)|rtol=.*",
        "rtol counts beside numbers other than 0 only",
    ),
    (r"polynomial.py: poly(fit)?", r"np\.result_type\((.*)\)  →  \1", "what has a dtype serves as one"),
    (r"polynomial.py: poly, rule 0", r"a @ term \+ (.*)  →  term @ a \+ \1", "a polynomial in a commutes with a"),
    (r"polynomial.py: poly, rule 0", r"np\.swapaxes\(share, 0, 1\)  →  .*", "the two axes of a matrix"),
    (r"polynomial.py: poly", r"np\.(convolve|equal)\(.*", "it is symmetric"),
    (r"polynomial.py: poly", r"np\.shape\(roots\)\[1\]  →  .*", "the last of two axes"),
    (r"polynomial.py: weighted", r"np\.result_type\((a, w|w|a)\)  →  .*", "what has a dtype serves as one"),
    (r"polynomial.py: polyfit", r"int\(deg\)  →  deg", "the same number"),
    (r"fourier.py: in_turn", r"int\(n\)  →  n", "NumPy's integers are integers"),
    (r"polynomial.py: polymul", r"np\.ndim\(p\) > 1  →  .*", "np.convolve raises the same error"),
    (r"polynomial.py: polymul", r"np\.not_equal\(.*", "it is symmetric"),
    (r"polynomial.py: polyint", r".* if m > 0 else 0  →  .*", "a negative m raises in the next line"),
    (r"polynomial.py: polyint", r".*m > 1.*|k\[0\] \* np\.ones\(m\)  →  .*/.*", "the one constant, once"),
    (
        r"polynomial.py: poly",
        r"np\.ndim\(roots\) == 2 and .*  →  np\.ndim\(roots\) == 2",
        "np.poly raises the same error",
    ),
    (r"polynomial.py: poly", r"return 1\.0  →  .*", "NumPy hands over no empty sequence"),
    (r"polynomial.py: poly", r".* and (np\.all.*)  →  \1", "the real part of real numbers"),
    (r"polynomial.py: polyfit", r"-1  →  --1", "the last of two axes"),
    (
        r"polynomial.py: polyfit",
        r".*isinstance\(cov, str\).*  →  (cov|cov == 'unscaled')",
        "no other cov is equal to the word",
    ),
    (
        r"polynomial.py: polyfit",
        r"len\(x\) <= order  →  len\(x\) < order",
        "no residuals: the next line raises the same",
    ),
    (r"calculus.py: .*", r"array\((.*)\)  →  \1", "where NumPy hands over no list"),
    (r"calculus.py: (diff|ediff1d)", r".*len\(parts\) > 1.*", "one part, joined to nothing"),
    (r"calculus.py: ediff1d", r"\(2, to_end\)  →  \(3, to_end\)", "beyond the end is at the end"),
    (
        r"calculus.py: (diff|ediff1d|geomspace)",
        r"np\.result_type\(.*|around\[1\]  →  .*",
        "the same dtype; the last of two",
    ),
    (r"calculus.py: diff", r"n < 0  →  n <.*", "n = 0 has been dealt with"),
    (r"calculus.py: (stencil|trapezoid)", r"-1  →  -2", "reshape takes any negative number for this"),
    (r"calculus.py: gradient", r".*spacing\[0\].*  →  .*", "the formula for uneven grids holds for even ones"),
    (r"calculus.py: gradient", r"\(spacing == .*", "the formula for uneven grids holds for even ones"),
    (r"calculus.py: gradient", r"np\.ndim\(x\) != 1 or (.*)  →  \1", "what follows raises the same error"),
    (r"calculus.py: central", r"ends\[1\]  →  ends\[-1\]", "the last of two is the second"),
    (r"calculus.py: segment", r"np\.clip\((.*), 0, (.*)\)  →  np\.clip\(0, \1, \2\)", "the middle one of three"),
    (r"calculus.py: (segment|slope)", r"np\.where\((.*), 1\.0, width\)  →  np\.where\(\1, (2|-1)\.0, width\)", UNUSED),
    (r"calculus.py: segment", r".*x < xp\[0\].*  →  .*x <= xp\[0\].*", "the part is 0 there"),
    (r"calculus.py: (slope|knots)", r"np\.size\(xp\) == 1  →  .*-1", "the general way comes to the same"),
    (r"calculus.py: knots", r"np\.sum\(g\)  →  g", "the driver sums"),
    (r"calculus.py: interp", r"np\.astype\((.*), .*\)  →  \1", "np.interp makes floats of integers"),
    (r"calculus.py: (convolve|correlate), rule .", r"np\.convolve\((.*)\)  →  np\.convolve\(.*", "it is symmetric"),
    (
        r"calculus.py: (convolve|correlate), rule .",
        r"whole\(g, a, v(.*)\)  →  whole\(g, v, a\1\)",
        "only the sum of the lengths counts",
    ),
    (r"calculus.py: correlate, rule .", r"np\.ravel\((.)\)  →  \1", "they are vectors"),
    (r"calculus.py: fractions", r"max\((.*), 1\)  →  max\(1, \1\)|bool\(endpoint\)  →  endpoint", "the same number"),
    (r"calculus.py: linspace", r".*, device=device\)  →  .*", "the only device that NumPy has"),
    (r"calculus.py: geomspace", r"float\(num\)  →  num|np\.dtype\(dtype\)  →  dtype", "the same dtype"),
    (
        r"decomposition.py: cofactor, rule 0",
        r"(1e4|10000\.0|np\.(abs|linalg\.norm))\b.*",
        "which of two ways that agree is taken",
    ),
    (r"decomposition.py: cofactor, rule 0", r"-1  →  -2", "the matrix is square"),
    (
        r"decomposition.py: (cofactor, rule 0|tensorinv)",
        r"-1  →  -2|n - 1  →  1 - n",
        "reshape takes any negative number for this",
    ),
    (r"decomposition.py: cofactor, rule 0", r"g \* (.*)  →  g / \1", "1 or -1"),
    (r"decomposition.py: fitted", r"np\.expand_dims\((.), 1\)  →  np\.expand_dims\(\1, -1\)", "the last of two axes"),
    (r"decomposition.py: linalg.lstsq.*", r"np\.shape\(a\)\[1\]  →  .*", "the last of two axes"),
    (r"decomposition.py: linalg.cholesky, rule 0", r"-1  →  -2", "the matrix is square"),
    (
        r"decomposition.py: qr",
        r"r_part\(a, mode='r'\)  →  r_part\(a\)|np\.eye\(1\)  →  .*",
        "the same R; the same error",
    ),
    (r"decomposition.py: (qr_gradient|left_vectors)", r".*> k.*  →  .*>= k.*", "nothing, joined to it or added"),
    (
        r"decomposition.py: (qr_gradient|tiny|over|left_vectors)",
        r".*(8 \* |<= least).*  →  .*",
        "what counts as a rounding error",
    ),
    (r"decomposition.py: linalg.eigh?\..*", r"(.*)\[1\]  →  \1\[-1\]", "the last of two is the second"),
    (r"decomposition.py: linalg.svd.S, rule 0", r".*full_matrices.*  →  .*", "only the first vectors are used"),
    (r"decomposition.py: left_vectors", r"np\.where\(np\.eye\(k\), 1\.0, (.*)  →  .*", UNUSED),
    (r"decomposition.py: left_vectors", r"phases and np\.iscomplexobj\(u\)  →  phases", "real numbers have no phases"),
    (
        r"decomposition.py: length",
        r"1\.0 ([+-]) np\.sqrt\(y\)  →  .*",
        "0 is divided, and its derivative is NaN as before",
    ),
    (
        r"decomposition.py: linalg.norm, rule 0",
        r"ord == 1  →  ord == 2|ord > 1  →  ord >= 1",
        "that order has been dealt with",
    ),
    (r"decomposition.py: linalg.norm, rule 0", r"np\.where\(x == 0, 1\.0, (.*)  →  .*", UNUSED),
    (r"decomposition.py: left_vectors", r"swap\(tiny\(turned\)\)  →  .*", "what counts as a rounding error"),
    (r"decomposition.py: left_vectors", r"-1  →  -2", "nothing, added"),
    (r"decomposition.py: norm", r".*ord > 0 .*  →  .*ord >= 0.*", "the order 0 has been dealt with"),
    (r"decomposition.py: svd", r"v \* (.*)  →  v / \1", "1 or -1"),
    (
        r"linalg.py: (swap|dot|inner|vdot|outer|kron)",
        r"(np\.\w+|max|zip)\((.*), (.*)\)  →  \1\(\3.*",
        "it is symmetric",
    ),
    (
        r"linalg.py: (vdot|outer|dot|inner)",
        r"np\.(matmul|multiply)\(.*  →  np\.(matmul|multiply)\(.*",
        "it is symmetric",
    ),
    (r"linalg.py: kron", r"zip\(.*", "their product is symmetric"),
    (
        r"linalg.py: (matrices|outer|multi_dot)",
        r"np\.expand_dims\((.*), 1\)  →  np\.expand_dims\(\1, -1\)",
        "the last axis",
    ),
    (r"linalg.py: product", r"type\((.)\)  →  \1", "the longer way to the same product"),
    (r"linalg.py: (product|matmul, rule .)", r"(.*) == 2  →  \1 == -2", "the longer way to the same product"),
    (
        r"linalg.py: matmul, rule .",
        r"np\.ndim\(.\) == 1  →  .* == -1|np\.squeeze\(share, -.\)  →  share",
        "the driver sums",
    ),
    (r"linalg.py: dot", r"np\.ndim\(b\) <= 2  →  .*", "the longer way to the same product"),
    (r"linalg.py: tensordot", r"int\((.*)\)  →  \1|(.*), dtype=int\)  →  .*", "a whole number in either form"),
    (r"linalg.py: (cross|outer)", r".* or .*  →  .*", "what follows raises the same error"),
    (
        r"linalg.py: cross",
        r"\(3, 3\)  →  .*|np\.cross\(np\.zeros.*|lengths\[1\]  →  .*",
        "only asked for the errors of np.cross",
    ),
    (
        r"linalg.py: along_last",
        r"(np\.ndim\(a\) - 1|normalize_axis_index\(.*)  →  .*",
        "an axis that is the last is moved to where it is",
    ),
    (r"linalg.py: multi_dot", r".*len\(arrays\).*  →  .*|np\.eye\(1\)  →  .*", "only asked for its error"),
    (r"linalg.py: multi_dot", r".*len\(first\) \+ len\(last\).*  →  .*", "reshaped to the shape it has"),
    (
        r"linalg.py: matrix_power",
        r"-1  →  -2|np\.result_type\(a\)  →  a|n < 0  →  n <.*",
        "square; a dtype; n = 0 has been dealt with",
    ),
    (
        r"linalg.py: einsum, rule 0",
        r"others\.insert\(.*|ord\('A'\) \+ 8192  →  .*",
        "the operands come in any order; letters enough",
    ),
    (r"linalg.py: einsum, rule 0", r"chr\(c\)\.isalpha\(\) and (.*)  →  \1", "letters come first"),
    (r"linalg.py: einsum, rule 0", r"np\.einsum\((.*), optimize=optimize\)  →  .*", "the same in another order"),
    (r"linalg.py: explicit", r"set\(named\)  →  named", "each of these letters is there once"),
    (r"linalg.py: explicit", r"width < 0 or .*  →  .*", "np.einsum raises the same error"),
    (r"linalg.py: explicit", r"max\(widths, default=0\)  →  .*|default=0  →  default=1", "there is always an operand"),
    (
        r"shape.py: (odd_margins|margin|meshgrid|column_stack)",
        r"-1  →  -2",
        "reshape takes any negative number for this",
    ),
    (r"shape.py: (odd_margins|unstack)", r"pair\[1\]  →  pair\[-1\]", "the last of two is the second"),
    (r"shape.py: widths", r"np\.pad\(.*|\(0,\)  →  \(1,\)", "only asked for the errors of np.pad"),
    (r"shape.py: margin", r"max\(width, 1\)  →  .*", "a ramp of no length"),
    (r"shape.py: margin", r"(min\()?int\(given\).*|length == 0 .*", "the same number; np.max of nothing raises, too"),
    (r"shape.py: pad", r".*np\.generic  →  .*", "the longer way comes to the same"),
    (r"shape.py: vstack", r"(.*), axis=0, (.*)  →  \1, \2", "it is 0 unless one says otherwise"),
    (r"shape.py: hstack", r"arrays\[0\]  →  arrays\[1\]", "all have as many axes"),
    (r"shape.py: column_stack", r"axis=1  →  axis=-1", "the last of two axes"),
    (r"shape.py: insert", r"np\.insert\(np\.arange\(n\), obj, 0\)  →  .*", "only counted"),
    (r"shape.py: insert", r".*extra.*  →  .*", "np.broadcast_to leaves them away or raises, as before"),
    (r"shape.py: array_split", r"int\((.*)\)  →  \1|slice\(0, 0\)  →  slice\(1, 0\)", "the same number; nothing"),
    (r"shape.py: [vd]split", r"least=.*", "np.split raises the same error"),
    (r"shape.py: apply_along_axis", r"0 in kept  →  1 in kept", "np.stack raises the same error"),
    (r"shape.py: apply_over_axes", r"int\(axis\)  →  axis", "NumPy's integers are integers"),
    (
        r"statistics.py: picked",
        r".*kind='stable'.*|np\.where\(np\.isnan\(rank\).*|np\.floor\(rank\)  →  rank",
        "which of equals; NaN either way; cut off as an integer",
    ),
    (r"statistics.py: floating", r".*", "only which error is raised"),
    (r"statistics.py: nan(var|std)", r"np\.any\(left <= 0\)  →  .*", "0 / 0 is NaN, too"),
    (r"statistics.py: nan(var|std)", r"left <= 0  →  left <= 1", "which of two ways that agree is taken"),
    (r"statistics.py: variables", r"np\.ndim\(m\) > 2  →  .*", "what follows raises the same error"),
    (
        r"statistics.py: (cov|corrcoef)",
        r"np\.shape\(rows\)\[1\]  →  .*|axis=1  →  axis=-1|(.*), 1\)  →  \1?.*, -1\)",
        "the last of two axes",
    ),
    (r"statistics.py: cov", r"float\((.*)\)  →  \1", "the same number"),
    (r"statistics.py: checked", r"np\.asarray\(weights, dtype=float\)  →  .*", "the same numbers"),
    (
        r"statistics.py: corrcoef",
        r"np\.clip\(.*|-1  →  -2|np\.real\((np\.diag.*)\)  →  \1",
        "beyond 1 by rounding errors only; the diagonal is real",
    ),
    (
        r"statistics.py: summed",
        r"np\.(astype\()?np\.ravel\(weights\).*  →  .*|np\.ravel\(weights\)  →  weights",
        "the same sums",
    ),
    (r"decomposition.py: qr_gradient", r"-1  →  -2", "nothing, added"),
    (r"decomposition.py: svd", r"np\.copysign\(1\.0, w\)  →  np\.copysign\(-1\.0, w\)", "it takes the sign of w"),
    (r"decomposition.py: (vector_)?norm", r"tuple\(axes\)  →  axes|len\(axes\).*", "the general way comes to the same"),
    (r"decomposition.py: cond", r"np\.zeros\(.*|np\.shape\(x\)  →  x", "only asked for its error"),
    (
        r"decomposition.py: cond",
        r"np\.isnan\(ratio\) & .*|.*1\.0 \+ np\.linalg\.norm\(x.*",
        "infinity or NaN as before",
    ),
    (
        r"indexing.py: (take|piecewise)",
        r"numbers\((.*)\)  →  \1|normalize_axis_index.*  →  axis",
        "np.asarray takes it, too; the same length",
    ),
    (r"linalg.py: swap", r"np\.swapaxes\(a, -1, -2\)  →  .*", "it is symmetric"),
    (r"shape.py: pad", r"np\.ndarray \| int.*  →  .*", "the longer way comes to the same"),
    (r"convolution.py: conv2d.*", r"2:  →  -2:|\(0, 2, 3\)  →  \(0, -2, 3\)", "the same of four axes"),
    (r"convolution.py: max_pool2d, rule 0", r"(.*), y=y .*  →  \1\)", "computed once more"),
    (r"elementwise.py: frexp", r"np\.frexp\(x\.data\)\[1\]  →  .*-1\]", "the last of two is the second"),
    (r"indexing.py: (diagonal|diag)", r"(min|max)\((.+), (.+)\)  →  \1\(\3, \2\)", "it is symmetric"),
    (r"indexing.py: (tril|triu)", r".*, dtype=bool\)  →  .*", "0.0 and 1.0 choose as False and True do"),
    (r"indexing.py: take_along_axis", r"-1  →  -2", "reshape takes any negative number for the length that is left"),
    (r"indexing.py: repeats", r"any\(.*|isinstance\(.*", "the slower way to the same numbers"),
    (r"(indexing|shape).py: .*", r"zip\((.+), strict=True\)  →  zip\(\1\)|strict=True  →  .*", "both are equally long"),
    (r"shape.py: (swapaxes, rule 0|matrix_transpose|rot90)", r"np\.swapaxes\(.*", "it is symmetric"),
    (r"shape.py: tile", r"zip\(reps, shape, strict=True\)  →  zip\(shape, reps, .*", "r * n is n * r"),
    (r"shape.py: tile", r"tuple\((.*)\)  →  \(.*", "broadcast_to takes any iterable"),
    (
        r"reduction.py: (counted|(max|min|nanmax|nanmin|prod), rule 0)",
        r"where is True  →  where is False",
        "a longer way to the same",
    ),
    (r"reduction.py: .*", r"max\((.+), (.+)\)  →  max\(\2, \1\)", "it is symmetric"),
    (
        r"(reduction|statistics).py: .*",
        r"np\.(maximum|multiply|result_type|logical_and)\((.+), (.+)\)  →  .*\(\3, \2\)",
        "it is symmetric",
    ),
    (r"reduction.py: std, rule 0", r"np\.where\(y == 0, 1, y\)  →  .*", UNUSED),
    (r"reduction.py: std", r"np\.where\(variance == 0, 1, variance\)  →  .*", UNUSED),
    (r"reduction.py: about", r"a - mean  →  mean - a", "the square is the same"),
    (
        r"reduction.py: cumprod, rule 0",
        r".*tiny\)?  →  .* > .*|np\.abs\(y\)  →  y|np\.eye.*",
        "a longer way to the same; the diagonal of ones is true",
    ),
    (r"reduction.py: softmax_cross_entropy, rule 0", r"logits\.shape\[1\]  →  .*", "the last of two axes"),
    (r"statistics.py: nan(var|std)", r"result \+ (.*)  →  result - \1", "NaN has no sign that counts"),
    (r"statistics.py: picked", r"return 0\.0  →  return 1\.0", "the gradient of no entries has no entries"),
    (r"statistics.py: picked", r"-1  →  (-2|--1)", "reshape takes any negative number; the last of two axes"),
]

# ---------------------------------------------------------------- what is broken


class Target:
    """A function whose code can be replaced: where it stands, and under which name its users know it."""

    def __init__(self, function: types.FunctionType, name: str, node: ast.FunctionDef | ast.Lambda):
        self.function, self.name, self.node = function, name, node
        self.file, self.line = Path(function.__code__.co_filename).name, node.lineno

    def __repr__(self) -> str:
        return f"{self.file}:{self.line} {self.name}"


def unwrapped(thing: Any) -> Any:
    return inspect.unwrap(thing) if isinstance(thing, types.FunctionType) else thing


def ours(thing: Any) -> bool:
    return isinstance(thing, types.FunctionType) and Path(thing.__code__.co_filename).parent == RULES


def roots() -> dict[types.FunctionType, str]:
    """The rules and what is composed, by name."""
    found: dict[types.FunctionType, str] = {}
    for op in operations.values():
        rules = [op.rules] if op.variadic else op.rules
        for index, rule in enumerate(rules):
            if ours(rule):
                found.setdefault(rule, f"{op.name}, rule {index}")
        if ours(op.cuts):
            found.setdefault(op.cuts, f"{op.name}, cuts")
    for function, entry in registry.items():
        name = getattr(function, "__name__", str(function))
        if isinstance(entry, Several) and ours(entry.make):
            found.setdefault(entry.make, f"{name}, make")
        if not isinstance(entry, Op | Several) and ours(unwrapped(entry)):
            found.setdefault(unwrapped(entry), name)
    return found


def names_in(code: types.CodeType) -> set[str]:
    inner = [names_in(constant) for constant in code.co_consts if isinstance(constant, types.CodeType)]
    return set(code.co_names).union(*inner)


def called(function: types.FunctionType) -> list[types.FunctionType]:
    """The functions of the table that this one names: helpers, what it closes over, and what stands behind NumPy's."""
    seen = names_in(function.__code__)
    things = [function.__globals__.get(name) for name in seen]
    things += [cell.cell_contents for cell in function.__closure__ or ()]
    behind = [registry.get(vars(home).get(name)) for name in seen for home in (np, np.linalg, np.fft)]
    return [unwrapped(thing) for thing in [*things, *behind] if ours(unwrapped(thing))]


def functions(start: dict[types.FunctionType, str]) -> dict[types.FunctionType, str]:
    """These functions and all of the table that they call, by name."""
    found, todo = {}, list(start.items())
    while todo:
        function, name = todo.pop(0)
        if function not in found:
            found[function] = name
            todo += [(other, other.__name__) for other in called(function)]
    return found


def targets() -> list[Target]:
    trees: dict[str, list[ast.FunctionDef | ast.Lambda]] = {}
    found = []
    for function, name in functions(roots()).items():
        path = function.__code__.co_filename
        if path not in trees:
            tree = ast.parse(SOURCES[Path(path)])
            trees[path] = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.Lambda)]
        found.append(Target(function, name, definition(function, trees[path])))
    return sorted(found, key=lambda target: (target.file, target.line, target.node.col_offset))


def definition(function: types.FunctionType, nodes: list[ast.FunctionDef | ast.Lambda]) -> ast.FunctionDef | ast.Lambda:
    """The node that a function was made of: of several lambdas of a line, the one around its instructions."""
    code = function.__code__
    places = [(line, column) for line, _, column, _ in code.co_positions() if line and column]

    def inside(node: ast.FunctionDef | ast.Lambda) -> int:
        body = node.body if isinstance(node, ast.Lambda) else node
        start, end = (body.lineno, body.col_offset), (body.end_lineno, body.end_col_offset)
        return sum(start <= place <= end for place in places)

    def first_line(node: ast.FunctionDef | ast.Lambda) -> int:
        return min([node.lineno, *(d.lineno for d in getattr(node, "decorator_list", []))])

    fitting = [
        n for n in nodes if getattr(n, "name", "<lambda>") == code.co_name and first_line(n) == code.co_firstlineno
    ]
    return max(fitting, key=inside)


# ---------------------------------------------------------------- how it is broken

SWAPPED = {
    ast.Add: [ast.Sub], ast.Sub: [ast.Add], ast.Mult: [ast.Div], ast.Div: [ast.Mult], ast.Pow: [ast.Mult],
    ast.FloorDiv: [ast.Mult], ast.Mod: [ast.FloorDiv], ast.BitAnd: [ast.BitOr], ast.BitOr: [ast.BitAnd],
    ast.Gt: [ast.GtE, ast.Lt], ast.GtE: [ast.Gt, ast.Lt], ast.Lt: [ast.LtE, ast.Gt], ast.LtE: [ast.Lt, ast.Gt],
    ast.Eq: [ast.NotEq], ast.NotEq: [ast.Eq], ast.Is: [ast.IsNot], ast.IsNot: [ast.Is], ast.In: [ast.NotIn],
    ast.NotIn: [ast.In], ast.And: [ast.Or], ast.Or: [ast.And],
}  # fmt: skip
ONE_WAY = (ast.Sub, ast.Div, ast.Pow, ast.MatMult, ast.FloorDiv, ast.Mod)  # where the order of the operands counts


def variants(node: ast.AST) -> Iterator[ast.AST]:
    """What may stand in the place of a node."""
    if isinstance(node, ast.BinOp):
        for other in SWAPPED.get(type(node.op), []):
            yield ast.BinOp(node.left, other(), node.right)
        if isinstance(node.op, ONE_WAY):
            yield ast.BinOp(node.right, node.op, node.left)
        yield node.left
        yield node.right
    elif isinstance(node, ast.UnaryOp) and not isinstance(node.operand, ast.Constant):
        yield node.operand
    elif isinstance(node, ast.Compare) and len(node.ops) == 1:
        for other in SWAPPED.get(type(node.ops[0]), []):
            yield ast.Compare(node.left, [other()], node.comparators)
    elif isinstance(node, ast.BoolOp):
        for other in SWAPPED[type(node.op)]:
            yield ast.BoolOp(other(), node.values)
        for i in range(len(node.values)):
            rest = node.values[:i] + node.values[i + 1 :]
            yield rest[0] if len(rest) == 1 else ast.BoolOp(node.op, rest)
    elif isinstance(node, ast.IfExp):
        yield ast.IfExp(node.test, node.orelse, node.body)
    elif isinstance(node, ast.If | ast.While):
        turned = copy.copy(node)
        turned.test = ast.UnaryOp(ast.Not(), node.test)
        yield turned
    elif isinstance(node, ast.Constant):
        if isinstance(node.value, bool):
            yield ast.Constant(not node.value)
        elif isinstance(node.value, int | float):
            yield ast.Constant(node.value + 1)
            if node.value not in (0, -1):
                yield ast.Constant(-node.value)
        elif isinstance(node.value, complex):
            yield ast.Constant(-node.value)
    elif isinstance(node, ast.Call):
        positional = [a for a in node.args if not isinstance(a, ast.Starred)]
        if positional and positional == node.args:
            yield node.args[0]
        for i in range(len(positional) - 1):
            if positional == node.args:
                turned = list(node.args)
                turned[i], turned[i + 1] = turned[i + 1], turned[i]
                if ast.dump(turned[i]) == ast.dump(turned[i + 1]):
                    continue
                yield ast.Call(node.func, turned, node.keywords)
        for i in [i for i, keyword in enumerate(node.keywords) if keyword.arg != "strict"]:
            yield ast.Call(node.func, node.args, node.keywords[:i] + node.keywords[i + 1 :])
    elif isinstance(node, ast.AugAssign):
        for other in SWAPPED.get(type(node.op), []):
            yield ast.AugAssign(node.target, other(), node.value)
        yield ast.Pass()
    elif isinstance(node, ast.Slice):
        if node.lower is not None:
            yield ast.Slice(None, node.upper, node.step)
        if node.upper is not None:
            yield ast.Slice(node.lower, None, node.step)
        if node.step is not None:
            yield ast.Slice(node.lower, node.upper, None)
    elif isinstance(node, ast.Attribute) and node.attr in ("T", "mT", "real"):
        yield node.value


def sites(node: ast.AST) -> Iterator[tuple[ast.AST, str, int | None, ast.AST]]:
    """Every node in the body of a function, with the place that holds it. Messages of errors are left alone."""
    for field, content in ast.iter_fields(node):
        if field in ("decorator_list", "args") and isinstance(node, ast.FunctionDef | ast.Lambda):
            continue
        for index, child in enumerate(content) if isinstance(content, list) else [(None, content)]:
            if not isinstance(child, ast.AST) or isinstance(child, ast.Raise | ast.JoinedStr | ast.arguments):
                continue
            if isinstance(child, ast.Expr) and isinstance(child.value, ast.Constant):
                continue  # the docstring
            if isinstance(child, ast.keyword) and child.arg == "strict":
                continue  # of zip: it only looks out for slips
            yield node, field, index, child
            yield from sites(child)


class Mutant:
    """One change of one function: the change in words, and the code."""

    def __init__(self, target: Target, before: str, after: str, line: int, code: types.CodeType):
        self.target, self.before, self.after, self.line, self.code = target, before, after, line, code

    def __str__(self) -> str:
        return f"{self.target.file}:{self.line}  {self.target.name}:  {self.before}  →  {self.after}"

    @property
    def reason(self) -> str | None:
        change = f"{self.before}  →  {self.after}"
        for where, what, why in EXPLAINED:
            if re.fullmatch(where, f"{self.target.file}: {self.target.name}") and re.fullmatch(what, change):
                return why
        return None


def compiled(target: Target, node: ast.FunctionDef | ast.Lambda) -> types.CodeType | None:
    """The code of a function made of `node`, with the free variables of the target's."""
    free = target.function.__code__.co_freevars
    if isinstance(node, ast.Lambda):
        kept = ast.IfExp(ast.Constant(True), node.body, names(free)) if free else node.body
        inner: ast.stmt = ast.Expr(ast.Lambda(node.args, kept))
    else:
        kept_first = [ast.If(ast.Constant(False), [ast.Expr(names(free))], [])] if free else []
        inner = ast.FunctionDef(node.name, node.args, [*kept_first, *node.body], [], None)
    outer = ast.FunctionDef("outer", arguments(free), [inner], [], None)
    module = ast.fix_missing_locations(ast.Module([outer], []))
    try:
        code = compile(module, target.function.__code__.co_filename, "exec")
    except (SyntaxError, ValueError):
        return None
    code = next(c for c in code.co_consts if isinstance(c, types.CodeType))
    return next(c for c in code.co_consts if isinstance(c, types.CodeType))


def names(free: tuple[str, ...]) -> ast.expr:
    return ast.Tuple([ast.Name(name, ast.Load()) for name in free], ast.Load())


def arguments(free: tuple[str, ...]) -> ast.arguments:
    return ast.arguments([], [ast.arg(name) for name in free], None, [], [], None, [])


def brief(node: ast.AST) -> str:
    text = " ".join(ast.unparse(ast.fix_missing_locations(node)).split())
    return text if len(text) <= 150 else text[:147] + "..."


def mutants(target: Target) -> Iterator[Mutant]:
    node = copy.deepcopy(target.node)
    if isinstance(node, ast.FunctionDef):
        node.args.defaults = [ast.Constant(None) for _ in node.args.defaults]  # the function keeps its own
        node.args.kw_defaults = [None for _ in node.args.kw_defaults]
        for arg in [*node.args.args, *node.args.kwonlyargs, node.args.vararg, node.args.kwarg]:
            if arg is not None:
                arg.annotation = None
    original = target.function.__code__
    seen = {fingerprint(original)}
    for parent, field, index, child in list(sites(node)):
        holder = getattr(parent, field)
        whole = isinstance(child, ast.Constant | ast.Slice | ast.Compare) or (
            isinstance(child, ast.BinOp) and isinstance(parent, ast.BinOp)
        )
        for variant in variants(child):
            shown = parent if whole and not isinstance(parent, ast.FunctionDef | ast.Lambda | ast.If) else child
            before = brief(shown)
            put(parent, field, index, variant)
            after = brief(variant if shown is child else shown)
            code = compiled(target, node)
            put(parent, field, index, child)
            assert getattr(parent, field) is holder
            if code is None:
                continue
            if fingerprint(code) not in seen:
                seen.add(fingerprint(code))
                yield Mutant(target, before, after, getattr(child, "lineno", target.line), code)


def fingerprint(code: types.CodeType) -> tuple[Any, ...]:
    """What two codes have in common that do the same."""
    constants = [fingerprint(c) if isinstance(c, types.CodeType) else repr(c) for c in code.co_consts]
    return code.co_code, tuple(constants), code.co_names, code.co_varnames, code.co_freevars


def put(parent: ast.AST, field: str, index: int | None, child: ast.AST) -> None:
    if index is None:
        setattr(parent, field, child)
    else:
        getattr(parent, field)[index] = child


# ---------------------------------------------------------------- who notices


class Test:
    """One call of one test function."""

    def __init__(self, name: str, run: Callable[[], Any], op: Op | None = None, home: str = ""):
        self.name, self.run, self.op, self.home, self.seconds, self.turn = name, run, op, home, 0.0, 0


def tests() -> list[Test]:
    """The tests of the table, as calls; those that need pytest's fixtures are left out."""
    found = []
    for name in TESTS:
        try:
            with warnings.catch_warnings(action="error"):  # as pytest does
                module = importlib.import_module(name)
        except pytest.skip.Exception:
            continue
        for test_name, function in vars(module).items():
            if not test_name.startswith("test_") or not callable(function) or function.__module__ != name:
                continue
            marks = [mark for mark in getattr(function, "pytestmark", []) if mark.name == "parametrize"]
            for choice in itertools.product(*(list(choices(mark)) for mark in marks)):
                keywords = {key: value for part in choice for key, value in part.items()}
                if set(inspect.signature(function).parameters) == set(keywords):
                    case = getattr(keywords.get("case"), "id", "")
                    op = getattr(keywords.get("case"), "op", None)
                    run = functools.partial(function, **keywords)
                    found.append(Test(f"{name}.{test_name} {case}", run, op, name.split(".")[-1]))
    return found


def choices(mark: Any) -> Iterator[dict[str, Any]]:
    names, values = mark.args[:2]
    names = [n.strip() for n in names.split(",")] if isinstance(names, str) else list(names)
    for value in values:
        if type(value).__name__ == "ParameterSet":
            value = value.values
        elif len(names) == 1:
            value = (value,)
        yield dict(zip(names, value, strict=True))


def passes(test: Test) -> bool:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            test.run()
        except pytest.skip.Exception:
            return True
        except (Exception, pytest.fail.Exception):
            return False
    return True


def covering(found: list[Target], calls: list[Test], jobs: int) -> dict[types.FunctionType, list[Test]]:
    """For each target the tests that run through it, best first: of its operation, of each kind one, the quick ones."""
    numbers: dict[types.CodeType, set[int]] = {}  # the functions that a loop makes share their code
    for number, target in enumerate(found):
        numbers.setdefault(target.function.__code__, set()).add(number)

    def watch(part: int, pipe: Any) -> None:
        for index in range(part, len(calls), jobs):
            seen: set[int] = set()

            def trace(frame: types.FrameType, event: str, argument: Any, seen: set[int] = seen) -> None:
                seen |= numbers.get(frame.f_code, set())

            start = time.perf_counter()
            sys.settrace(trace)
            try:
                good = passes(calls[index])
            finally:
                sys.settrace(None)
            pipe.send((index, time.perf_counter() - start, good, seen))

    ran: dict[types.FunctionType, list[Test]] = {target.function: [] for target in found}
    failing = []
    for index, seconds, good, seen in at_once([(watch, part) for part in range(jobs)], jobs):
        calls[index].seconds = seconds
        if not good:
            failing.append(calls[index].name)
        for number in seen if good else ():
            ran[found[number].function].append(calls[index])
    if failing:
        print(f"{len(failing)} tests fail as things stand, and are left out: {', '.join(failing[:5])} ...\n")
    for function, some in ran.items():
        turns: dict[tuple[str, Op | None], int] = {}
        for test in sorted(some, key=lambda test: test.seconds):
            kind = (test.name.split(" ")[0], test.op)
            turns[kind] = test.turn = turns.get(kind, 0) + 1
        some.sort(key=lambda test: (not uses(test.op, function), test.turn, test.seconds))
    return ran


def at_once(tasks: list[tuple[Callable[..., None], Any]], jobs: int) -> Iterator[Any]:
    """What the tasks, each in a process of its own, send; None for one that crashed."""
    processes = multiprocessing.get_context("fork")
    waiting, running = list(reversed(tasks)), {}
    while waiting or running:
        while waiting and len(running) < jobs:
            function, argument = waiting.pop()
            ours, theirs = processes.Pipe(duplex=False)
            process = processes.Process(target=lambda f=function, a=argument, p=theirs: f(a, p))
            process.start()
            theirs.close()
            running[ours] = process
        for pipe in wait(list(running)):
            try:
                yield pipe.recv()
            except EOFError:
                running.pop(pipe).join()


def concerns(test: Test, wanted: set[types.FunctionType]) -> bool:
    """Whether the test is of no operation in particular, or of one whose rules come to one of these functions."""
    return test.op is None or not wanted.isdisjoint(behind(test.op))


@functools.cache
def behind(op: Op) -> set[types.FunctionType]:
    """All functions that the gradient of an operation may run through, directly."""
    rules = [op.rules] if op.variadic else op.rules
    return set(functions({rule: "" for rule in [*rules, op.cuts] if ours(rule)}))


def uses(op: Op | None, function: types.FunctionType) -> bool:
    return op is not None and function in ([op.rules] if op.variadic else op.rules)


ENOUGH = 200  # tests for a mutant of which it is known that none will notice it


class Slow(BaseException):
    """A mutant that does not come to an end is noticed, too."""


def noticed(mutant: Mutant, some: list[Test]) -> bool:
    """Whether one of the tests fails with the mutant in the place of the function's code."""

    def stop(*_: Any) -> None:
        raise Slow

    function = mutant.target.function
    original = function.__code__
    signal.signal(signal.SIGALRM, stop)
    signal.alarm(int(20 + 5 * sum(test.seconds for test in some)))
    function.__code__ = mutant.code
    try:
        if not all(passes(test) for test in some[:ENOUGH]):
            return True
        return mutant.reason is None and not all(passes(test) for test in some[ENOUGH:])
    except (Slow, RecursionError, MemoryError):
        return True
    finally:
        signal.alarm(0)
        function.__code__ = original


def run(found: list[Target], ran: dict[types.FunctionType, list[Test]], jobs: int) -> tuple[int, list[Mutant]]:
    """How many mutants there are, and the survivors."""

    def work(task: tuple[int, int], pipe: Any) -> None:
        """The mutants of a function from a number on, in a process that may crash."""
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (8 << 30, 8 << 30))
        sys.stdout = sys.stderr = open(os.devnull, "w")  # noqa: SIM115
        place, start = task
        for number, mutant in enumerate(mutants(found[place])):
            if number >= start:
                pipe.send((place, number, noticed(mutant, ran[found[place].function])))
        pipe.send((place, None, True))

    survivors, next_one = [], dict.fromkeys(range(len(found)), 0)
    tried = dict(next_one)
    while next_one:
        tasks = list(next_one.items())
        for place, number, was_noticed in at_once([(work, task) for task in tasks], jobs):
            if number is None:
                del next_one[place]
                continue
            next_one[place] = tried[place] = number + 1
            if not was_noticed:
                mutant = next(itertools.islice(mutants(found[place]), number, None))
                survivors.append(mutant)
                if mutant.reason is None:
                    print(mutant, flush=True)
        for place in next_one:  # its process crashed: the mutant was noticed
            next_one[place] += 1
    return sum(tried.values()), survivors


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.mutate", description=__doc__.splitlines()[0])
    parser.add_argument("--only", default="", help="names of functions or files, separated by commas")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="processes at a time")
    parser.add_argument("--list", action="store_true", help="print the mutants and try none")
    options = parser.parse_args()
    started = time.perf_counter()
    try:
        importlib.import_module("autograd.rules.special")
    except ImportError:
        print("SciPy is not installed: its functions are left out.")
    calls = tests()
    wanted = [name for name in options.only.split(",") if name]
    found = [t for t in targets() if not wanted or any(re.search(rf"\b{re.escape(n)}\b", repr(t)) for n in wanted)]
    if options.list:
        for target in found:
            for mutant in mutants(target):
                print(mutant)
        return 0
    if wanted:  # the tests of the same family, and of the operations that the functions are part of
        homes = {f"test_{Path(target.file).stem}" for target in found} | {"test_edges", "test_table"}
        calls = [test for test in calls if test.home in homes]
        calls = [test for test in calls if concerns(test, {target.function for target in found})]
    ran = covering(found, calls, options.jobs)
    for target in found:
        if not ran[target.function]:
            print(f"{target}: no test runs through it")
    print(f"{len(found)} functions, {len(calls)} tests; {time.perf_counter() - started:.0f} s so far\n", flush=True)
    tried, survivors = run(found, ran, options.jobs)
    left = [mutant for mutant in survivors if mutant.reason is None]
    print(f"\n{tried} mutants of {len(found)} functions, {len(survivors)} survivors", end="")
    print(f", {len(survivors) - len(left)} of them explained; {time.perf_counter() - started:.0f} s")
    return 1 if left else 0


if __name__ == "__main__":
    sys.exit(main())
