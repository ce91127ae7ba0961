"""An import contract that import-linter lacks: some modules import each other, a few packages, and nothing else.

The "forbidden" contract lists what may not be imported. To exclude everything with I/O, waiting or randomness, that
list would have to name half of the standard library and every package there will ever be. The list of allowed packages
is short. Chains of imports need no search here: whatever a closed set imports is in the set or on the list.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from importlinter import Contract, ContractCheck, fields, output
from importlinter.application.contract_utils import AlertLevel, remove_ignored_imports_and_report
from importlinter.domain.helpers import module_expressions_to_modules

if TYPE_CHECKING:
    from grimp import ImportGraph


class ClosedContract(Contract):
    """The modules `modules`, and those below them, import only each other and the packages `allowed`.

    The packages that contain them are included, each for its `__init__.py` alone, because Python runs it first.
    """

    type_name = "closed"

    modules: Any = fields.SetField(subfield=fields.ModuleExpressionField())
    allowed: Any = fields.SetField(subfield=fields.StringField())
    ignore_imports: Any = fields.SetField(subfield=fields.ImportExpressionField(), required=False)
    unmatched_ignore_imports_alerting: Any = fields.EnumField(AlertLevel, default=AlertLevel.ERROR)

    def check(self, graph: ImportGraph, verbose: bool) -> ContractCheck:  # noqa: ARG002, FBT001 - import-linter's signature
        """Return whether the contract holds, and each import that breaks it."""
        removed = remove_ignored_imports_and_report(graph, self.ignore_imports, self.unmatched_ignore_imports_alerting)
        inside: set[str] = set()
        for module in module_expressions_to_modules(graph, self.modules):
            if module.name not in graph.modules:
                message = f"A closed contract names the module {module.name}, which does not exist."
                raise ValueError(message)
            inside |= {module.name} | graph.find_descendants(module.name)
            inside |= {module.name[:end] for end, letter in enumerate(module.name) if letter == "."}
        broken = sorted(
            (importer, imported, detail["line_number"])
            for importer in inside
            for imported in graph.find_modules_directly_imported_by(importer) - inside - self.allowed
            for detail in graph.get_import_details(importer=importer, imported=imported)
        )
        return ContractCheck(
            kept=not broken,
            warnings=list(removed.warnings),
            ignored_import_count=removed.ignored_import_count,
            metadata={"broken": broken},
        )

    def render_broken_contract(self, check: ContractCheck) -> None:
        """Print each import that breaks the contract."""
        for importer, imported, line in check.metadata["broken"]:
            output.print_error(f"- {importer} -> {imported} (l.{line})", bold=False)
        output.new_line()
