#!/usr/bin/env python3
"""Writes pairs.tsv: two formulas and the tree edit distance between them, on which zss and APTED agree.

    pip install zss apted && python3 make.py

Seeded: the same file on every machine. Unit costs; trees are ordered; a label is an atom or a connective.
"""
import random
from pathlib import Path

import apted
import zss

CONNECTIVES = "∧∨→↔⊕"


def formula(r, connectives, atoms):
    """A tree as nested tuples: ("p",), ("¬", x) or ("∧", x, y)."""
    if connectives == 0:
        return (r.choice(atoms),)
    if r.random() < 0.2:
        return ("¬", formula(r, connectives - 1, atoms))
    left = r.randrange(connectives)
    return (r.choice(CONNECTIVES), formula(r, left, atoms), formula(r, connectives - 1 - left, atoms))


def edited(r, tree):
    """The tree with something changed somewhere: a label, an operand lost, a negation more, operands turned round."""
    if len(tree) == 1 or r.random() < 0.2:
        return r.choice([("¬", tree), (r.choice("pqrstu"),)] + [t for t in tree[1:]])
    if len(tree) == 3 and r.random() < 0.3:
        return (r.choice(CONNECTIVES), tree[2], tree[1])
    place = r.randrange(1, len(tree))
    return tree[:place] + (edited(r, tree[place]),) + tree[place + 1:]


def text(tree):
    if len(tree) == 1:
        return tree[0]
    if len(tree) == 2:
        return "¬" + text(tree[1])
    return f"({text(tree[1])} {tree[0]} {text(tree[2])})"


def zss_tree(tree):
    node = zss.Node(tree[0])
    for operand in tree[1:]:
        node.addkid(zss_tree(operand))
    return node


def apted_tree(tree):
    return apted.helpers.Tree.from_text("{" + tree[0] + "".join(map(bracketed, tree[1:])) + "}")


def bracketed(tree):
    return "{" + tree[0] + "".join(map(bracketed, tree[1:])) + "}"


r = random.Random(1989)
with open(Path(__file__).with_name("pairs.tsv"), "w", encoding="utf-8") as file:
    for index in range(100):
        left = formula(r, r.randrange(25), "pqrs")
        right = formula(r, r.randrange(25), "qrst") if index % 3 == 0 else left
        for _ in range(index % 5):
            right = edited(r, right)
        distance = int(zss.simple_distance(zss_tree(left), zss_tree(right)))
        other = apted.APTED(apted_tree(left), apted_tree(right)).compute_edit_distance()
        assert distance == other, (text(left), text(right), distance, other)
        print(text(left), text(right), distance, sep="\t", file=file)
