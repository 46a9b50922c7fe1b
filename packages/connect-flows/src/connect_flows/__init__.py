"""The flow language of Amazon Connect (Version 2019-10-30): model, linter and templates, in pure Python."""

from connect_flows.diagnostics import Diagnostic, FlowKind, LintConfig, LintContext, Severity
from connect_flows.knowledge import ActionSpec, Knowledge, ParameterSpec, knowledge
from connect_flows.linter import RULES, explain, lint
from connect_flows.model import (
    Block,
    ConditionBranch,
    Edge,
    EdgeKind,
    ErrorBranch,
    Flow,
    FlowSyntaxError,
    Transitions,
)
from connect_flows.template import FlowTemplateError, placeholders, render

ACTIONS = knowledge().actions
"""The knowledge about each action type, by its name."""

__all__ = [
    "ACTIONS",
    "RULES",
    "ActionSpec",
    "Block",
    "ConditionBranch",
    "Diagnostic",
    "Edge",
    "EdgeKind",
    "ErrorBranch",
    "Flow",
    "FlowKind",
    "FlowSyntaxError",
    "FlowTemplateError",
    "Knowledge",
    "LintConfig",
    "LintContext",
    "ParameterSpec",
    "Severity",
    "Transitions",
    "explain",
    "knowledge",
    "lint",
    "placeholders",
    "render",
]
