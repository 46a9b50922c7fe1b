"""Pictures of a flow: SVG, and Mermaid text for documents.

Branches for errors are thin and grey, Lambda and transfer blocks are coloured.
"""

from connect_flows.pictures.layout import DiagramError
from connect_flows.pictures.mermaid import mermaid
from connect_flows.pictures.svg import svg

__all__ = ["DiagramError", "mermaid", "svg"]
