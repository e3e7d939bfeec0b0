"""Searches the source of a module for what it does with Pyfhel, and for all that would hide it."""

from __future__ import annotations

import ast

SAFE_OF_CIPHERTEXTS = {"to_bytes", "size", "scale"}

HIDDEN = {"_pyfhel", "_held"}
"""Attributes of ours that hold an object of Pyfhel: never passed on under another name, so that the search sees all."""

BACK_DOORS = {
    *("getattr", "setattr", "vars", "eval", "exec", "globals", "locals", "compile", "__import__", "__dict__"),
    *("__getattribute__", "operator", "attrgetter", "methodcaller", "importlib", "inspect"),
}
"""Ways to an attribute whose name does not stand in the source."""


class Search(ast.NodeVisitor):
    """What a module of `ckks` does with Pyfhel: `used` of a ring, and `faults`, which nobody could see through."""

    def __init__(self, source: str) -> None:
        self.used: set[str] = set()
        self.faults: list[str] = []
        tree = ast.parse(source)
        self.parents = {child: node for node in ast.walk(tree) for child in ast.iter_child_nodes(node)}
        self.visit(tree)

    def visit_Attribute(self, node: ast.Attribute) -> None:
        if node.attr in BACK_DOORS:
            self.fault(node)
        if node.attr in HIDDEN:
            self.hidden(node, self.parents[node])
        self.generic_visit(node)

    def hidden(self, node: ast.Attribute, parent: ast.AST) -> None:
        """`x._pyfhel.name` and `x._held.name` are seen; the first as `pyfhel=`, the second in a call of `x._pyfhel`."""
        if isinstance(parent, ast.Attribute):
            if node.attr == "_pyfhel":
                self.used.add(parent.attr)
            elif parent.attr not in SAFE_OF_CIPHERTEXTS:
                self.fault(parent)
            return
        made = isinstance(node.ctx, ast.Store) and isinstance(parent, ast.Assign | ast.AnnAssign)
        if made and isinstance(parent.value, ast.Call | ast.Name):  # type: ignore[attr-defined]
            return
        if node.attr == "_held" and isinstance(parent, ast.Call) and of_pyfhel(parent.func) and node in parent.args:
            return
        if isinstance(parent, ast.keyword) and parent.arg == {"_pyfhel": "pyfhel", "_held": "copy_ctxt"}[node.attr]:
            call = self.parents[parent]
            if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id == "PyCtxt":
                return
        self.fault(node)

    def visit_Name(self, node: ast.Name) -> None:
        parent = self.parents[node]
        named = isinstance(parent, ast.arg) and parent.annotation is node
        if node.id in BACK_DOORS or (
            node.id in {"Pyfhel", "PyCtxt"} and not named and not (isinstance(parent, ast.Call) and parent.func is node)
        ):
            self.fault(node)

    def visit_Call(self, node: ast.Call) -> None:
        """What gives a ciphertext stands in `Ciphertext(...)`, which has no operators, and a ring in `_pyfhel`."""
        name = node.func.id if isinstance(node.func, ast.Name) else ""
        parent = self.parents[node]
        if name == "PyCtxt" or (of_pyfhel(node.func) and any(word.arg == "in_new_ctxt" for word in node.keywords)):
            within = parent.func.id if isinstance(parent, ast.Call) and isinstance(parent.func, ast.Name) else ""
            if within != "Ciphertext":
                self.fault(node)
        if name == "Pyfhel" and not isinstance(parent, ast.AnnAssign):
            self.fault(node)
        self.generic_visit(node)

    def visit_Constant(self, node: ast.Constant) -> None:
        if node.value in HIDDEN and not self.is_slot(node):
            self.fault(node)

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        names = {one.name for one in node.names if one.asname is None}
        if (node.module or "").startswith("Pyfhel") and (node.module != "Pyfhel" or len(names) < len(node.names)):
            self.fault(node)
        if (node.module or "").split(".")[0] in BACK_DOORS or (node.module == "Pyfhel" and "*" in names):
            self.fault(node)

    def visit_Import(self, node: ast.Import) -> None:
        if any(one.name.split(".")[0] in BACK_DOORS | {"Pyfhel"} for one in node.names):
            self.fault(node)

    def is_slot(self, node: ast.Constant) -> bool:
        holder = self.parents[self.parents[node]]
        return isinstance(holder, ast.Assign) and ast.unparse(holder.targets[0]) == "__slots__"

    def fault(self, node: ast.AST) -> None:
        self.faults.append(ast.unparse(node))


def of_pyfhel(node: ast.AST) -> bool:
    return isinstance(node, ast.Attribute) and isinstance(node.value, ast.Attribute) and node.value.attr == "_pyfhel"
