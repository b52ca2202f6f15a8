"""What a definition node is: its kind, its name, where its signature ends and its body starts.

Owns the reading of single nodes. Must not know where the cursor is or what is done with the result.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from tree_sitter import Node

from lsp_server.documents.node_types import COMMENTS, FUNCTION_VALUES, LEADING, NAMED_VALUES, NodeTypes

_HEADER_FIELDS = ("name", "parameters", "superclass", "return_type", "result", "type", "trait")


@dataclass(frozen=True)
class Shape:
    """A definition node taken apart."""

    node: Node
    kind: str
    name: Node | None
    body: Node | None
    start_byte: int
    """Where it starts with what leads it: decorators, `export`, `const`."""
    signature_end_byte: int


def shape(node: Node, types: NodeTypes) -> Shape | None:
    """Return the definition that `node` is, or None if it is not one."""
    kind, name, holder = types.definitions.get(node.type), None, node
    if kind is None:
        if (named := _named_function(node)) is not None:
            kind, (name, holder) = "function", named
        elif (name := _prototype(node)) is not None:
            kind = "function"
        else:
            return None
    elif kind == "impl":
        name = node.child_by_field_name("type")
    else:
        name = node.child_by_field_name("name") or _declared_name(node) or _inner_name(node)
    body = body_of(holder, types)
    if kind == "module" and body is None and node.type == "namespace_definition":
        return None  # PHP's `namespace A;` stands for the file, like an import
    return Shape(node, kind, name, body, _leading_start(node), _signature_end(holder, node, body))


def body_of(node: Node, types: NodeTypes) -> Node | None:
    """Return the part of a definition that an outline leaves out."""
    body = node.child_by_field_name("body") or node.child_by_field_name("accessors")
    if body is not None:
        return body
    for child in reversed(node.children):
        # Go keeps it two levels down: type_declaration, type_spec, struct_type, the list of fields.
        if child.type in ("type_spec", "struct_type", "interface_type"):
            return body_of(child, types)
        if child.type in types.blocks:
            return child
        if child.type == "{":  # Go's interfaces have no node for what stands between their braces
            return child
    return None


def _named_function(node: Node) -> tuple[Node | None, Node] | None:
    if node.type == "assignment_statement":  # Lua: `M.f = function() … end`
        values = [child for child in node.named_children if child.type == "expression_list"]
        value = values[0].named_children[0] if values and values[0].named_children else None
        name: Node | None = node.named_children[0]
    elif node.type in NAMED_VALUES:
        name_field, value_field = NAMED_VALUES[node.type]
        name, value = node.child_by_field_name(name_field), node.child_by_field_name(value_field)
    else:
        return None
    return (name, value) if value is not None and value.type in FUNCTION_VALUES else None


def _prototype(node: Node) -> Node | None:
    """Return the name in a C or C++ declaration of a function."""
    if node.type not in ("declaration", "field_declaration"):
        return None
    return _declared_name(node) if _declarator(node, "function_declarator") else None


def _declarator(node: Node, wanted: str) -> Node | None:
    for declarator in _declarators(node):
        if declarator.type == wanted:
            return declarator
    return None


def _declared_name(node: Node) -> Node | None:
    return next(reversed(list(_declarators(node))), None)


def _declarators(node: Node) -> Iterator[Node]:
    inner = node.child_by_field_name("declarator")
    while inner is not None:
        yield inner
        inner = inner.child_by_field_name("declarator")


def _inner_name(node: Node) -> Node | None:
    for child in node.named_children:
        if (name := child.child_by_field_name("name")) is not None:
            return name
    return None


def _leading_start(node: Node) -> int:
    start = node
    while (parent := start.parent) is not None and parent.type in LEADING:
        # `const a = …, b = () => …`: only the first declarator owns what leads it.
        named = parent.named_children
        if start.type == "variable_declarator" and named and named[0] != start:
            break
        start = parent
    return start.start_byte


def _signature_end(holder: Node, node: Node, body: Node | None) -> int:
    if body is not None:
        last = body.start_byte
        for part in holder.children:
            if part == body:
                return last
            if not part.is_error and part.type not in COMMENTS:
                last = part.end_byte
        return body.start_byte  # deeper than the children: Go's `type T struct {`
    ends = [
        child.end_byte for field in _HEADER_FIELDS if (child := holder.child_by_field_name(field)) is not None
    ]
    tokens = {child.type for child in holder.children}
    # An empty body may have no node at all: `def f(x) … end`. Other definitions without one end themselves.
    return max(ends) if ends and "end" in tokens else node.end_byte
