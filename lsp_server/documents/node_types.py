"""What the nodes of each grammar mean: one table, data only.

Owns the names that grammars give to definitions, blocks and imports. Names of strings, comments and
interpolations do not clash between grammars, so these sets are shared.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class NodeTypes:
    """The node types of one grammar that syntax context and outlines look for."""

    definitions: Mapping[str, str] = field(default_factory=dict)
    """Type of a definition and what it is: `function`, `class`, …"""
    blocks: frozenset[str] = frozenset()
    """Nodes whose children are statements or members."""
    imports: frozenset[str] = frozenset()
    wrappers: frozenset[str] = frozenset()
    """Nodes to look through on the way to definitions at the top of a file."""
    import_line: str = ""
    """Regular expression for the start of a statement that imports by calling a function."""


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


CONTAINERS = frozenset({"class", "interface", "struct", "trait", "impl", "module", "enum"})
"""Kinds whose members belong into an outline; the insides of functions do not."""

COMMENTS = frozenset(
    {"comment", "line_comment", "block_comment", "html_comment", "js_comment", "doc_comment"}
)

STRINGS = _words(
    """ansi_c_string bare_string block_scalar char_literal character character_literal double_quote_scalar
    encapsed_string heredoc heredoc_body interpolated_string_expression interpreted_string_literal nowdoc_body
    nowdoc_string quoted_attribute_value quoted_key raw_string raw_string_literal rune_literal
    single_quote_scalar string string_array string_literal string_value system_lib_string
    template_literal_type template_string translated_string verbatim_string_literal"""
)

INTERPOLATIONS = _words(
    """interpolation template_substitution template_type command_substitution expansion
    string_interpolation template_expression format_expression"""
)

TYPE_FIELDS = frozenset({"type", "return_type", "returns", "result"})
TYPE_NODES = _words(
    """type_annotation type_predicate_annotation asserts_annotation type_parameters type_arguments
    type_argument_list type_parameter_list template_argument_list trailing_return_type type_qualifier"""
)
"""What says the type of something: by the field of its parent, or by itself."""

TYPES_THAT_ACT = _words(
    """as_expression cast_expression compound_literal_expression composite_literal explicit_constructor_call
    generic_type generic_type_with_turbofish impl_item instanceof_expression new_expression
    object_creation_expression satisfies_expression sizeof_expression struct_expression type_assertion
    type_assertion_expression type_cast_expression type_conversion_expression type_descriptor"""
)
"""Nodes whose `type` decides what happens, and does not only say what something is."""

FUNCTION_VALUES = frozenset(
    ["arrow_function", "function_expression", "generator_function", "func_literal", "function_definition"]
)
"""Functions that get their name from what they are assigned to."""

NAMED_VALUES: Mapping[str, tuple[str, str]] = {
    "variable_declarator": ("name", "value"),
    "assignment_expression": ("left", "right"),
    "public_field_definition": ("name", "value"),
    "field_definition": ("property", "value"),
}
"""Nodes that give a value a name: the fields of both."""

LEADING = _words(
    """decorated_definition export_statement ambient_declaration template_declaration lexical_declaration
    variable_declaration expression_statement type_definition"""
)
"""Nodes that put something before a definition (decorators, `export`, `const`) that belongs to it."""


def _kinds(**types_by_kind: str) -> dict[str, str]:
    return {name: kind.rstrip("_") for kind, names in types_by_kind.items() for name in names.split()}


_PYTHON = NodeTypes(
    _kinds(function="function_definition", class_="class_definition"),
    _words("module block"),
    _words("import_statement import_from_statement future_import_statement"),
    _words("""decorated_definition if_statement else_clause elif_clause try_statement except_clause
    finally_clause with_statement"""),
)

_JAVASCRIPT_BLOCKS = (
    "program statement_block class_body class_static_block switch_body switch_case switch_default"
)
_JAVASCRIPT = NodeTypes(
    _kinds(
        function="function_declaration generator_function_declaration",
        class_="class_declaration class",
        method="method_definition",
    ),
    _words(_JAVASCRIPT_BLOCKS),
    _words("import_statement"),
    _words("export_statement lexical_declaration variable_declaration expression_statement"),
    import_line=r"(const|let|var)\b[^\n]*=\s*require\(",
)

_TYPESCRIPT = NodeTypes(
    _kinds(
        function="function_declaration generator_function_declaration function_signature",
        class_="class_declaration abstract_class_declaration class",
        method="method_definition method_signature abstract_method_signature",
        interface="interface_declaration",
        enum="enum_declaration",
        type="type_alias_declaration",
        module="internal_module module",
    ),
    _words(f"{_JAVASCRIPT_BLOCKS} interface_body enum_body"),
    _words("import_statement import_alias"),
    _words(
        "export_statement lexical_declaration variable_declaration ambient_declaration expression_statement"
    ),
)

_GO = NodeTypes(
    _kinds(function="function_declaration", method="method_declaration", type="type_declaration"),
    _words("""source_file block statement_list expression_switch_statement type_switch_statement
    select_statement expression_case type_case default_case communication_case field_declaration_list
    interface_type"""),
    _words("package_clause import_declaration"),
)

_RUST = NodeTypes(
    _kinds(
        function="function_item function_signature_item",
        struct="struct_item union_item",
        enum="enum_item",
        trait="trait_item",
        impl="impl_item",
        module="mod_item",
        macro="macro_definition",
        type="type_item",
    ),
    _words("source_file block declaration_list field_declaration_list enum_variant_list match_block"),
    _words("use_declaration extern_crate_declaration"),
    _words("foreign_mod_item"),
)

_JAVA = NodeTypes(
    _kinds(
        class_="class_declaration record_declaration",
        interface="interface_declaration annotation_type_declaration",
        enum="enum_declaration",
        method="method_declaration constructor_declaration compact_constructor_declaration",
    ),
    _words("""program block class_body constructor_body interface_body enum_body enum_body_declarations
    switch_block switch_block_statement_group annotation_type_body module_body"""),
    _words("package_declaration import_declaration"),
)

_C_BLOCKS = """translation_unit compound_statement declaration_list field_declaration_list enumerator_list
    case_statement preproc_if preproc_ifdef preproc_else preproc_elif"""
_C_WRAPPERS = "type_definition linkage_specification declaration"
_C = NodeTypes(
    _kinds(function="function_definition", struct="struct_specifier union_specifier", enum="enum_specifier"),
    _words(_C_BLOCKS),
    _words("preproc_include"),
    _words(_C_WRAPPERS),
)

_CPP = NodeTypes(
    _kinds(
        function="function_definition",
        struct="struct_specifier union_specifier",
        class_="class_specifier",
        enum="enum_specifier",
        module="namespace_definition",
        type="alias_declaration concept_definition",
    ),
    _words(_C_BLOCKS),
    _words("preproc_include using_declaration namespace_alias_definition"),
    _words(f"{_C_WRAPPERS} template_declaration"),
)

_CSHARP = NodeTypes(
    _kinds(
        class_="class_declaration record_declaration",
        struct="struct_declaration",
        interface="interface_declaration",
        enum="enum_declaration",
        method="method_declaration constructor_declaration destructor_declaration operator_declaration",
        property="property_declaration indexer_declaration",
        function="local_function_statement",
        module="namespace_declaration",
        type="delegate_declaration",
    ),
    _words("""compilation_unit block declaration_list switch_body switch_section
    enum_member_declaration_list accessor_list global_statement"""),
    _words("using_directive file_scoped_namespace_declaration"),
)

_RUBY = NodeTypes(
    _kinds(method="method singleton_method", class_="class singleton_class", module="module"),
    _words("program body_statement block_body block do_block then else ensure rescue begin do"),
    import_line=r"(require|require_relative|load)\b",
)

_PHP = NodeTypes(
    _kinds(
        function="function_definition",
        method="method_declaration",
        class_="class_declaration",
        interface="interface_declaration",
        trait="trait_declaration",
        enum="enum_declaration",
        module="namespace_definition",
    ),
    _words("""program compound_statement declaration_list switch_block match_block enum_declaration_list
    colon_block case_statement default_statement"""),
    _words("namespace_use_declaration"),
)

_BASH = NodeTypes(
    _kinds(function="function_definition"),
    _words("program compound_statement do_group if_statement elif_clause else_clause case_item subshell"),
    import_line=r"(source|\.)\s",
)

_LUA = NodeTypes(
    _kinds(function="function_declaration"),
    _words("chunk block"),
    wrappers=_words("variable_declaration"),
    import_line=r"(local\b[^\n]*=\s*)?require\b",
)

NODE_TYPES: Mapping[str, NodeTypes] = {
    "python": _PYTHON,
    "javascript": _JAVASCRIPT,
    "typescript": _TYPESCRIPT,
    "tsx": _TYPESCRIPT,
    "go": _GO,
    "rust": _RUST,
    "java": _JAVA,
    "c": _C,
    "cpp": _CPP,
    "csharp": _CSHARP,
    "ruby": _RUBY,
    "php": _PHP,
    "bash": _BASH,
    "lua": _LUA,
    "css": NodeTypes(
        blocks=_words("stylesheet block keyframe_block_list"),
        imports=_words("import_statement charset_statement"),
    ),
    "html": NodeTypes(blocks=_words("document element script_element style_element")),
    "json": NodeTypes(blocks=_words("document")),
    "yaml": NodeTypes(blocks=_words("stream document block_mapping block_sequence")),
    "toml": NodeTypes(blocks=_words("document table table_array_element")),
    "markdown": NodeTypes(blocks=_words("document section")),
}
"""By the name of the language."""

NONE = NodeTypes()


def node_types(language: str) -> NodeTypes:
    """Return the node types of a language; empty for plain text."""
    return NODE_TYPES.get(language, NONE)
