"""Pictures of a flow: SVG, and Mermaid text for documents.

Both say of a block what it does, then its type in the console's words. The page and the tests find blocks and branches
by the attributes that ``svg`` describes.
"""

from connect_flows.pictures.mermaid import mermaid
from connect_flows.pictures.svg import DiagramError, svg

__all__ = ["DiagramError", "mermaid", "svg"]
